// Standard input, output and error when they are closed, full, or read by nobody.
#pragma once

#include <string_view>
#include <system_error>

namespace radial::train {

/// Puts /dev/null in the place of standard streams that are closed, so that no file opened later gets one of their
/// numbers and what is printed there. It is opened for reading: printing goes on failing. To be called before anything
/// is opened.
void open_standard_streams();

/// Prints to standard error as far as that can be written, as shown_lines() has it, and throws nothing.
void print_error(std::string_view text);

/// Prints to standard output and flushes it, and throws nothing: output_error() tells. For what goes on when nobody
/// reads it.
void print_on(std::string_view text);

/// Flushes standard output, and says why something that was printed has not arrived, if so.
std::error_code output_error();
/// Throws that as a std::system_error.
void check_output();

}  // namespace radial::train
