// Observing which ops run, for example to count a network's operations or to list its layers.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <functional>
#include <span>
#include <string_view>

namespace radial {

/// Called for each op with its name, its inputs as they were passed (undefined ones included), and its result.
using OpWatcher = std::function<void(std::string_view op, std::span<const Tensor> inputs, const Tensor& output)>;

/// While the object exists, `watcher` is called for every differentiable op that runs on this thread, whether it is
/// recorded on the tape or not. Objects can be nested; the innermost is in effect.
class ObserveOps {
public:
    /// Starts observing on this thread.
    explicit ObserveOps(OpWatcher watcher);
    ~ObserveOps();
    ObserveOps(const ObserveOps&) = delete;
    ObserveOps& operator=(const ObserveOps&) = delete;

private:
    OpWatcher watcher_;
    const OpWatcher* previous_;
};

/// Whether ops are being observed on this thread. Code that would fuse several layers into one op must then run them
/// separately.
bool ops_observed();

}  // namespace radial
