// All layers.
#pragma once

#include "radial/layers/activation.h"
#include "radial/layers/attention.h"
#include "radial/layers/common.h"
#include "radial/layers/conv.h"
#include "radial/layers/dense_block.h"
#include "radial/layers/embedding.h"
#include "radial/layers/linear.h"
#include "radial/layers/norm.h"
#include "radial/layers/sequential.h"
#include "radial/layers/upsample.h"
#include "radial/layers/whitening.h"
