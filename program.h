// Programs with train, eval and sweep for a data set and a network of your own (link Radial::program).
#pragma once

#include "radial/apps/program/program.h"
#include "radial/train.h"
