# What `cmake --install` puts where: headers, the library, the programs (apps/), and the files for find_package(Radial).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# A backend's own headers and those of single ops are nobody else's business.
install(DIRECTORY core layers losses models data DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/radial
    FILES_MATCHING PATTERN "*.h"
    PATTERN core/cpu EXCLUDE PATTERN core/ref EXCLUDE PATTERN core/cuda EXCLUDE PATTERN core/ops EXCLUDE
    PATTERN core/mpi EXCLUDE PATTERN core/nccl EXCLUDE)
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
