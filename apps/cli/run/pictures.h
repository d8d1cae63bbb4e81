// PictureOptions and what follows from them, which are in augmentation.h.
#pragma once

#include "radial/apps/cli/run/augmentation.h"
