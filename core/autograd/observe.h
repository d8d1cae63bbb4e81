// Watching which ops run: for counting a network's arithmetic and for listing its layers.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <functional>
#include <span>
#include <string_view>

namespace radial {

/// Told of an op: its name, its inputs (undefined ones too) as the op was given them, its result.
using OpWatcher = std::function<void(std::string_view op, std::span<const Tensor> inputs, const Tensor& output)>;

/// While one lives, every differentiable op that this thread runs is told to `watcher`, recorded on the tape or not.
/// One that is made while another lives takes its place until it ends.
class ObserveOps {
public:
    explicit ObserveOps(OpWatcher watcher);
    ~ObserveOps();
    ObserveOps(const ObserveOps&) = delete;
    ObserveOps& operator=(const ObserveOps&) = delete;

private:
    OpWatcher watcher_;
    const OpWatcher* previous_;
};

/// Whether one lives on this thread. What would run several layers as one op is then to run them one by one.
bool ops_observed();

}  // namespace radial
