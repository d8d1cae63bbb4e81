// Data sets, images, transforms and the loader.
#pragma once

#include "radial/data/cifar.h"
#include "radial/data/dataset.h"
#include "radial/data/download.h"
#include "radial/data/find_images.h"
#include "radial/data/fingerprint.h"
#include "radial/data/idx.h"
#include "radial/data/image.h"
#include "radial/data/image_folder.h"
#include "radial/data/imagenet.h"
#include "radial/data/loader.h"
#include "radial/data/mixing.h"
#include "radial/data/picture_check.h"
#include "radial/data/preprocessor.h"
#include "radial/data/resize.h"
#include "radial/data/transforms.h"
#include "radial/data/view.h"
