// The tape: which op made a tensor, and how gradients flow back through it.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace radial {

/// While one lives, ops on this thread record nothing.
class NoGrad {
public:
    NoGrad();
    ~NoGrad();
    NoGrad(const NoGrad&) = delete;
    NoGrad& operator=(const NoGrad&) = delete;

private:
    bool previous_;
};

/// Whether ops on this thread record.
bool grad_enabled();

/// A tensor kept for backward. get() throws when the elements were changed in place since.
class Saved {
public:
    Saved() = default;
    /// `op` and `what` appear in the error: "prelu: its input was changed in place ...".
    Saved(const Tensor& tensor, std::string_view op, std::string_view what);
    Tensor get() const;
    bool defined() const { return tensor_.defined(); }

private:
    Tensor tensor_;
    std::uint64_t version_ = 0;
    std::string_view op_, what_;
};

/// Which of an op's inputs want a gradient.
class Needs {
public:
    explicit Needs(std::uint32_t mask) : mask_(mask) {}
    bool operator[](std::size_t input) const { return (mask_ >> input & 1U) != 0; }

private:
    std::uint32_t mask_;
};

/// One gradient per input of the op, in their order; undefined where none flows.
using Grads = std::vector<Tensor>;
/// Given dL/doutput (exclusive() if no one else reads it, so it may be overwritten), gives dL/dinputs.
/// The gradient may come in either layout; the results may be in either.
using BackwardFn = std::function<Grads(Tensor grad, Needs needs)>;

/// Records that `output` came from `inputs` by `op`, unless no input wants a gradient or NoGrad holds.
/// `op` must outlive the graph (a literal). Undefined inputs are allowed and get nothing. At most 32 inputs.
Tensor record(std::string_view op, Tensor output, std::span<const Tensor> inputs, BackwardFn backward);
Tensor record(std::string_view op, Tensor output, std::initializer_list<Tensor> inputs, BackwardFn backward);

/// Differentiates `root`, seeded with `seed` (same shape; 1 when undefined and root is a scalar), adding into
/// the grad() of each leaf that requires it. Each op's saved tensors are freed as soon as it has run. Iterative.
/// Throws Error when root has no graph, or when an earlier backward() already freed an op, which it names.
void backward(const Tensor& root, const Tensor& seed = {});

/// Told of a leaf whose grad() is final.
using GradientWatcher = std::function<void(const std::shared_ptr<TensorImpl>& leaf)>;

/// While one lives, backward() on this thread tells `watcher` of each leaf it reached as soon as its gradient is final:
/// nothing that the walk has still to do, or one that it is a part of (checkpoint()), adds to it. Told once a walk, in
/// between two ops; a leaf to which nothing flowed is told as well. What it throws ends the walk. One that is made
/// while another lives takes its place until it ends.
class WatchGradients {
public:
    explicit WatchGradients(GradientWatcher watcher);
    ~WatchGradients();
    WatchGradients(const WatchGradients&) = delete;
    WatchGradients& operator=(const WatchGradients&) = delete;

private:
    GradientWatcher watcher_;
    const GradientWatcher* previous_;
};

/// Names of the ops reachable from `root`, root's first: for tests and for looking at a graph.
std::vector<std::string> graph_ops(const Tensor& root);

}  // namespace radial
