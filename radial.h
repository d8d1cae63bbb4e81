// The whole public library in one include.
#pragma once

#include "radial/core/core.h"
#include "radial/data/data.h"
#include "radial/layers/layers.h"
#include "radial/losses/losses.h"
#include "radial/models/models.h"
#include "radial/onnx/onnx.h"
