# A Debian package of everything that is installed: `cmake --build --preset portable`, then `cpack` in build/portable.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME radial)
set(CPACK_PACKAGE_VENDOR "The Radial authors")
set(CPACK_PACKAGE_CONTACT "The Radial authors <radial@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "deep-learning training framework with prototype losses
 Programs that train and evaluate networks for image classification (radial-mnist,
 radial-cifar10, radial-cifar100, radial-imagenet, and radial-train for one's own
 pictures), and the C++ library that they are made of.")
# The libraries that the programs need are found by dpkg-shlibdeps, which reads Radial's own from the build.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
# What a program that uses the library is compiled with.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "g++, cmake, libfmt-dev, nlohmann-json3-dev, libcli11-dev, libpng-dev, libssl-dev, libcurl4-openssl-dev, libprotobuf-dev, libonnx-dev, dataset-fashion-mnist, wordnet-base")
include(CPack)
