// suggestion(), which is in safe_text.h.
#pragma once

#include "radial/apps/train/console/safe_text.h"
