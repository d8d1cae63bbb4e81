# Builds the library once for each generation of x86-64 processors. When a program starts, the dynamic linker (glibc 2.33
# and later) loads the newest libradial.so that the processor supports: it first searches the folders
# glibc-hwcaps/x86-64-v4 and glibc-hwcaps/x86-64-v3 next to the baseline library.

set(RADIAL_GENERATIONS x86-64-v3 x86-64-v4) # AVX2 with FMA; AVX-512

# RADIAL_WITH_VARIANTS: whether to build them.
set(RADIAL_WITH_VARIANTS OFF)
if(RADIAL_VARIANTS STREQUAL "AUTO")
    # Builds for testing have one library, and so do builds with CUDA, which compute on the device.
    if(RADIAL_INSTALL AND NOT RADIAL_NATIVE AND NOT RADIAL_WITH_CUDA AND NOT RADIAL_EMULATED_CUDA
       AND NOT RADIAL_SANITIZE AND NOT RADIAL_COVERAGE AND NOT RADIAL_FUZZ
       AND CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
        set(RADIAL_WITH_VARIANTS ON)
    endif()
elseif(RADIAL_VARIANTS)
    if(RADIAL_NATIVE)
        message(FATAL_ERROR "RADIAL_VARIANTS=${RADIAL_VARIANTS}: RADIAL_NATIVE=ON compiles for one processor only")
    endif()
    set(RADIAL_WITH_VARIANTS ON)
endif()

# radial_variants(TARGET): makes the shared library TARGET the baseline, and adds the libraries of RADIAL_GENERATIONS.
function(radial_variants target)
    include(GNUInstallDirs)
    set(folder ${PROJECT_BINARY_DIR}/lib)
    set(targets "")
    foreach(generation ${RADIAL_GENERATIONS})
        string(REPLACE - _ name ${target}_${generation})
        radial_library(${name} SHARED)
        target_compile_options(${name} PRIVATE -march=${generation})
        set_target_properties(${name} PROPERTIES OUTPUT_NAME ${target}
            LIBRARY_OUTPUT_DIRECTORY ${folder}/glibc-hwcaps/${generation})
        if(RADIAL_INSTALL)
            install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/glibc-hwcaps/${generation}
                NAMELINK_SKIP)
        endif()
        add_dependencies(${target} ${name}) # a target that links the library also builds the others
        list(APPEND targets ${name})
    endforeach()
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${folder})
    foreach(library ${target} ${targets})
        set_target_properties(${library} PROPERTIES VERSION ${PROJECT_VERSION}
            SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
        # Without this option, an inline function that the program also contains, compiled for the baseline, would replace
        # the one of the library.
        target_link_options(${library} PRIVATE -Wl,-Bsymbolic-functions)
    endforeach()
endfunction()
