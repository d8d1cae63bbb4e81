// `radial-mnist download`: fetches the four files of MNIST.
#pragma once

#include "radial/apps/common/command_line.h"

namespace radial::apps {

Command download_command();

}  // namespace radial::apps
