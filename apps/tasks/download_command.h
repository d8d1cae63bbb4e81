// `download`: fetches a benchmark's files.
#pragma once

#include "radial/apps/cli/command_line.h"
#include "radial/data/download.h"

#include <functional>
#include <string>
#include <vector>

namespace radial::train {

/// The `download` of `program`, for the set that people call `title`. `files` lists what to fetch, from the usual place
/// when its argument is empty, else from that mirror (a URL that ends in "/").
Command download_command(const std::string& program, const std::string& title,
                         std::function<std::vector<data::RemoteFile>(const std::string& mirror)> files);

}  // namespace radial::train
