// Data sets, images, transforms and the loader.
#pragma once

#include "radial/data/cifar.h"
#include "radial/data/csv.h"
#include "radial/data/dataset.h"
#include "radial/data/download.h"
#include "radial/data/idx.h"
#include "radial/data/image_folder.h"
#include "radial/data/image_set.h"
#include "radial/data/images/auto_augment.h"
#include "radial/data/images/image.h"
#include "radial/data/images/transforms.h"
#include "radial/data/images/view.h"
#include "radial/data/loader.h"
#include "radial/data/preprocessor.h"
#include "radial/data/registry.h"
#include "radial/data/sampling.h"
#include "radial/data/split.h"
