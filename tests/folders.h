// The folders of the tests' data and of the programs: those of the build, or those in environment variables.
#pragma once

#include <string>

namespace radial::test {

/// The source tree's folder tests/, or RADIAL_TEST_DIR.
std::string test_folder();
/// The folder of the built programs, or RADIAL_BIN_DIR.
std::string program_folder();

}  // namespace radial::test
