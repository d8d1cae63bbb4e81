// All layers.
#pragma once

#include "radial/layers/activation.h"
#include "radial/layers/batch_norm.h"
#include "radial/layers/conv.h"
#include "radial/layers/conv_norm.h"
#include "radial/layers/dense_block.h"
#include "radial/layers/drop_connect.h"
#include "radial/layers/dropout.h"
#include "radial/layers/flatten.h"
#include "radial/layers/input_check.h"
#include "radial/layers/linear.h"
#include "radial/layers/pool.h"
#include "radial/layers/sequential.h"
#include "radial/layers/size2d.h"
#include "radial/layers/squeeze_excite.h"
