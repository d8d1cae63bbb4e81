// All optimizers, gradient clipping, learning-rate schedules and averages of weights.
#pragma once

#include "radial/core/optim/adam.h"
#include "radial/core/optim/clip.h"
#include "radial/core/optim/lamb.h"
#include "radial/core/optim/moments.h"
#include "radial/core/optim/muon.h"
#include "radial/core/optim/optimizer.h"
#include "radial/core/optim/rmsprop.h"
#include "radial/core/optim/schedule.h"
#include "radial/core/optim/sgd.h"
#include "radial/core/optim/weight_average.h"
