# What `cmake --install` puts where: headers, the library, the programs (apps/), and the files for find_package(Radial).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Headers for the library's own use: folders and files. tools/check-structure holds all others to be reached from radial.h
# or core/kernels/kernels.h.
set(RADIAL_INTERNAL_HEADERS
    core/autograd/node.h core/backend/cpu core/backend/cuda core/backend/device_backend.h core/backend/emulated
    core/backend/kernels core/backend/reference core/distributed/device_collectives.h core/distributed/mpi
    core/distributed/nccl core/io/float16.h core/memory/cuda/check.h core/memory/transfer.h core/ops/common.h
    core/ops/distances.h core/ops/kernels core/optim/kernels.h core/precompiled.h core/tensor/random_kernels.h
    data/decoded.h data/gzip_file.h data/seeds.h data/tar.h layers/dense losses/heads losses/pairs
    models/efficientnet_block.h)
set(internal_patterns "")
foreach(header ${RADIAL_INTERNAL_HEADERS})
    list(APPEND internal_patterns PATTERN ${header} EXCLUDE)
endforeach()
install(DIRECTORY core layers losses models data DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/radial
    FILES_MATCHING PATTERN "*.h" ${internal_patterns})
install(FILES radial.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/radial)

install(TARGETS radial EXPORT RadialTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
set(RADIAL_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Radial)
install(EXPORT RadialTargets NAMESPACE Radial:: DESTINATION ${RADIAL_PACKAGE_DIR})

set(RADIAL_WITH_OPENMP ${OpenMP_CXX_FOUND})
configure_package_config_file(cmake/RadialConfig.cmake.in ${CMAKE_BINARY_DIR}/RadialConfig.cmake
    INSTALL_DESTINATION ${RADIAL_PACKAGE_DIR})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/RadialConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/RadialConfig.cmake ${CMAKE_BINARY_DIR}/RadialConfigVersion.cmake
    cmake/FindOneDNN.cmake cmake/FindCUDNN.cmake cmake/FindNCCL.cmake DESTINATION ${RADIAL_PACKAGE_DIR})
