# Install rules for headers, the library, the programs (apps/), and the files for find_package(Radial).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Internal headers, as folders and files. tools/check-structure checks that all others are included by radial.h or
# core/kernels/kernels.h.
set(RADIAL_INTERNAL_HEADERS
    core/autograd/node.h core/backend/cpu core/backend/cuda core/backend/device_backend.h core/backend/emulated
    core/backend/kernels core/backend/reference core/distributed/device_collectives.h core/distributed/mpi
    core/distributed/nccl core/memory/cuda/check.h core/memory/transfer.h core/ops/broadcast.h
    core/ops/common.h core/ops/distances.h core/ops/kernels core/ops/norm_inputs.h core/ops/reduction_plan.h
    core/ops/strided.h core/optim/kernels.h core/precompiled.h
    core/tensor/random_kernels.h data/archive.h data/images/jpeg_file.h data/seeds.h layers/dense losses/heads
    losses/pairs models/inverted_residual.h onnx/onnx_ops.h onnx/trace.h)
set(internal_patterns "")
foreach(header ${RADIAL_INTERNAL_HEADERS})
    list(APPEND internal_patterns PATTERN ${header} EXCLUDE)
endforeach()
install(DIRECTORY core layers losses models data onnx DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/radial
    FILES_MATCHING PATTERN "*.h" ${internal_patterns})
# The headers of Radial::train and Radial::program: all headers that train.h and program.h include.
set(RADIAL_TRAIN_HEADERS
    apps/cli/cli_forward.h apps/cli/command_line.h apps/cli/image_task.h apps/cli/option_flags.h
    apps/cli/run/augmentation.h apps/cli/run/optimizer_options.h apps/cli/run/train_options.h
    apps/program/program.h apps/report/report.h
    apps/train/class_metrics.h apps/train/classifier.h apps/train/console/progress.h apps/train/epoch_result.h
    apps/train/evaluate.h apps/train/events/tensorboard.h apps/train/observer.h apps/train/observers.h
    apps/train/precision.h apps/train/ranks/rank_step.h apps/train/run/failed_step.h apps/train/run/input_notes.h
    apps/train/retrieval.h apps/train/run/snapshots.h apps/train/run/weights.h apps/train/scores.h
    apps/train/statistics.h apps/train/step_log.h apps/train/trainer.h apps/train/training_step.h
    apps/train/transfer.h apps/train/verification.h apps/train/views.h)
install(FILES radial.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/radial)

set(installed radial)
if(TARGET radial_download)
    list(APPEND installed radial_download)
endif()
if(TARGET radial_onnx)
    list(APPEND installed radial_onnx)
endif()
if(TARGET radial_program)
    foreach(header ${RADIAL_TRAIN_HEADERS})
        get_filename_component(folder ${header} DIRECTORY)
        install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/radial/${folder})
    endforeach()
    install(FILES train.h program.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/radial)
    list(APPEND installed radial_train radial_program)
endif()
install(TARGETS ${installed} EXPORT RadialTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
set(RADIAL_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Radial)
install(EXPORT RadialTargets NAMESPACE Radial:: DESTINATION ${RADIAL_PACKAGE_DIR})

set(RADIAL_WITH_TRAIN OFF)
if(TARGET radial_train)
    set(RADIAL_WITH_TRAIN ON)
endif()
set(RADIAL_WITH_OPENMP ${OpenMP_CXX_FOUND})
configure_package_config_file(cmake/RadialConfig.cmake.in ${PROJECT_BINARY_DIR}/RadialConfig.cmake
    INSTALL_DESTINATION ${RADIAL_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/RadialConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/RadialConfig.cmake ${PROJECT_BINARY_DIR}/RadialConfigVersion.cmake
    cmake/FindOneDNN.cmake cmake/FindCUDNN.cmake cmake/FindNCCL.cmake DESTINATION ${RADIAL_PACKAGE_DIR})
