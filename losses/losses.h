// All losses and the functions that they are built from.
#pragma once

#include "radial/losses/cosine_losses.h"
#include "radial/losses/distance_losses.h"
#include "radial/losses/elementwise.h"
#include "radial/losses/focal.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"
#include "radial/losses/pair_losses.h"
#include "radial/losses/proxy_losses.h"
#include "radial/losses/rbf_network.h"
#include "radial/losses/rbf_softmax.h"
#include "radial/losses/regularisers.h"
#include "radial/losses/softmax.h"
#include "radial/losses/sum_loss.h"
