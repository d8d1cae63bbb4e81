// All headers for writing kernels, inside or outside the library. See docs/kernels.md.
#pragma once

#include "radial/core/kernels/bfloat16.h"
#include "radial/core/kernels/host_device.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/kernels/philox.h"
#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"
