// The folders of the tests' data and of the programs: those of the build, unless environment variables name others.
#pragma once

#include <string>

namespace radial::test {

/// The folder in the environment variable RADIAL_TEST_DIR, or else the source tree's folder tests/.
std::string test_folder();
/// The folder in the environment variable RADIAL_BIN_DIR, or else that of the built programs.
std::string program_folder();

}  // namespace radial::test
