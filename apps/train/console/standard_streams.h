// print_on() and its like, which are in safe_text.h.
#pragma once

#include "radial/apps/train/console/safe_text.h"
