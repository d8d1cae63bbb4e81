// All models, the registry, and weight files.
#pragma once

#include "radial/models/airbench.h"
#include "radial/models/common.h"
#include "radial/models/cost.h"
#include "radial/models/densenet.h"
#include "radial/models/efficientnet.h"
#include "radial/models/lenetpp.h"
#include "radial/models/mobilenet.h"
#include "radial/models/registry.h"
#include "radial/models/regnet.h"
#include "radial/models/resnet.h"
#include "radial/models/vgg.h"
#include "radial/models/weight_file.h"
#include "radial/models/weight_names.h"
