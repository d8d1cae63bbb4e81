// Errors and the one macro that checks conditions and formats the offending values.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>

namespace radial {

/// Base of every error that Radial throws; what() names the thing, its value and what was expected.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A file or folder that cannot be read or written, or whose content is not what its format says.
class FileError : public Error {
public:
    using Error::Error;
};

/// A number that training or predicting cannot go on from: a loss or a score that is not finite, a kernel that has
/// died.
class NumericError : public Error {
public:
    using Error::Error;
};

/// Memory that a device could not give.
class OutOfMemory : public Error {
public:
    using Error::Error;
};

}  // namespace radial

/// Throws radial::Error with a formatted message unless `condition` holds.
#define RADIAL_CHECK(condition, ...)                           \
    do {                                                       \
        if (!(condition)) [[unlikely]]                         \
            throw ::radial::Error(::fmt::format(__VA_ARGS__)); \
    } while (false)
