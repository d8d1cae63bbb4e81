# The library once for each generation of x86-64 processors. A program starts with the one that suits its processor: the
# dynamic linker looks for libradial.so in glibc-hwcaps/x86-64-v4 and -v3 beside the plain one (glibc 2.33 and later).

set(RADIAL_GENERATIONS x86-64-v3 x86-64-v4) # AVX2 with FMA; AVX-512

# RADIAL_WITH_VARIANTS: what RADIAL_VARIANTS comes to.
set(RADIAL_WITH_VARIANTS OFF)
if(RADIAL_VARIANTS STREQUAL "AUTO")
    # A build for tests or with CUDA, which computes elsewhere, has one library.
    if(RADIAL_INSTALL AND NOT RADIAL_NATIVE AND NOT RADIAL_WITH_CUDA AND NOT RADIAL_EMULATED_CUDA
       AND NOT RADIAL_SANITIZE AND NOT RADIAL_COVERAGE AND NOT RADIAL_FUZZ
       AND CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
        set(RADIAL_WITH_VARIANTS ON)
    endif()
elseif(RADIAL_VARIANTS)
    if(RADIAL_NATIVE)
        message(FATAL_ERROR "RADIAL_VARIANTS=${RADIAL_VARIANTS}: RADIAL_NATIVE=ON compiles for one processor alone")
    endif()
    set(RADIAL_WITH_VARIANTS ON)
endif()

# radial_variants(TARGET): makes the shared library TARGET the plain one, and adds those of RADIAL_GENERATIONS.
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
        add_dependencies(${target} ${name}) # whoever builds the library builds them all
        list(APPEND targets ${name})
    endforeach()
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${folder})
    foreach(library ${target} ${targets})
        set_target_properties(${library} PROPERTIES VERSION ${PROJECT_VERSION}
            SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
        # A function of a header that the program has too, compiled for any processor, does not take the library's place.
        target_link_options(${library} PRIVATE -Wl,-Bsymbolic-functions)
    endforeach()
endfunction()
