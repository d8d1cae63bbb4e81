// Sums, means and maxima, which are in core/ops.h.
#pragma once

#include "radial/core/ops.h"
