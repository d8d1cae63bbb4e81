// Where the tests' data and the programs lie: as they were built, or where the environment says that they were brought.
#pragma once

#include <string>

namespace radial::test {

/// The source tree's tests/, or RADIAL_TEST_DIR.
std::string test_folder();
/// The folder of the built programs, or RADIAL_BIN_DIR.
std::string program_folder();

}  // namespace radial::test
