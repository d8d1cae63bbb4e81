// `radial-prototypes scatter`: two-dimensional runs side by side, as in Fig. 1 of the RBF-Softmax paper.
#pragma once

#include "radial/apps/cli/command_line.h"

namespace radial::prototypes {

/// Writes one page with a scatter chart a run: test features, prototypes, loss, settings, test accuracy.
train::Command scatter_command();

}  // namespace radial::prototypes
