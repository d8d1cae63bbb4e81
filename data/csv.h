// Reads tables of comma-separated values (RFC 4180).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace radial::data {

/// A row of a table.
struct CsvRow {
    std::size_t line = 0;             ///< line of the file on which the row begins, counted from 1
    std::vector<std::string> fields;  ///< without the quotes of quoted fields
};

/// The rows of a table. Fields are separated by commas. A field in double quotes may contain commas, line ends, and
/// double quotes, which are written twice. Lines end in LF or CRLF; empty lines and a byte order mark are ignored.
/// Throws FileError, naming the line, for a quote that is not closed or text after a closing quote, and when the file
/// is missing, not a regular file, or longer than `most` bytes.
std::vector<CsvRow> read_csv(const std::filesystem::path& path, std::size_t most = std::size_t{256} << 20);

}  // namespace radial::data
