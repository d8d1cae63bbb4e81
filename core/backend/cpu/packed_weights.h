// Copies of weights in the form that a kernel wants them in.
#pragma once

#include "radial/core/backend/cpu/plan.h"

#include <functional>

namespace radial::onednn {

/// A copy of `w` that lies as `desc` says, as fill(buffer) makes it. It is kept with w's storage from the second time
/// on that it is asked for in one version of w: weights that are trained change before a copy would serve again.
Tensor packed_copy(const Tensor& w, const Desc& desc, const std::function<void(const Tensor& buffer)>& fill);

}  // namespace radial::onednn
