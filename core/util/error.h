// Exceptions, and the macro that checks a condition and formats a message.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>

namespace radial {

/// Base of all exceptions that Radial throws. what() names the object, its value and what was expected.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A file or folder that cannot be read or written, or whose content does not follow its format.
class FileError : public Error {
public:
    using Error::Error;
};

/// A number with which training or prediction cannot continue: a loss or a score that is not finite, a kernel value
/// that has vanished.
class NumericError : public Error {
public:
    using Error::Error;
};

/// A device has run out of memory.
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
