// balanced_weights(), which is in evaluate.h.
#pragma once

#include "radial/apps/train/evaluate.h"
