// The tape: records which op produced each tensor and propagates gradients back through the ops. Also watches which ops
// run, and recomputes a part of a network in backward (gradient checkpointing).
#pragma once

#include "radial/core/tensor/tensor.h"

#include <functional>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace radial {

/// Disables recording on this thread while the object exists.
class NoGrad {
public:
    NoGrad();
    ~NoGrad();
    NoGrad(const NoGrad&) = delete;
    NoGrad& operator=(const NoGrad&) = delete;

private:
    bool previous_;
};

/// Whether ops on this thread are recorded.
bool grad_enabled();

/// A tensor that an op keeps for its backward pass, with the version of its storage.
class Saved {
public:
    Saved() = default;
    /// Saves `tensor`. `op` and `what` appear in the error message: "prelu: its input was changed in place ...". Both
    /// must outlive this object (string literals).
    Saved(const Tensor& tensor, std::string_view op, std::string_view what);
    /// The tensor. Throws Error when its elements have been changed in place since it was saved.
    Tensor get() const;
    /// Whether a defined tensor was saved.
    bool defined() const { return tensor_.defined(); }

private:
    Tensor tensor_;
    std::uint64_t version_ = 0;
    std::string_view op_, what_;
};

/// The set of an op's inputs that need a gradient.
class Needs {
public:
    /// Bit i of `mask` is set when input i needs a gradient.
    explicit Needs(std::uint32_t mask) : mask_(mask) {}
    /// Whether the input with this index needs a gradient.
    bool operator[](std::size_t input) const { return (mask_ >> input & 1U) != 0; }

private:
    std::uint32_t mask_;
};

/// The gradients of an op's inputs, in the order of the inputs; undefined where no gradient flows.
using Grads = std::vector<Tensor>;
/// Computes the gradients of an op's inputs from the gradient of its output. The function may overwrite `grad` if
/// grad.exclusive(). `grad` and the results may be in either layout.
using BackwardFn = std::function<Grads(Tensor grad, Needs needs)>;

/// A number that an op uses in addition to its tensors, such as a stride. It is passed to the watcher of ObserveOps.
struct OpAttribute {
    /// Stores `given`, a number or a bool, as a float64.
    template <class T>
    OpAttribute(std::string_view attribute, T given) : name(attribute), value(static_cast<double>(given)) {}

    std::string_view name;  ///< "stride_h"
    double value;           ///< the number
};

///@{
/// Records that `op` computed `output` from `inputs`, unless no input needs a gradient or recording is disabled
/// (NoGrad). Returns `output`. `op` must outlive the graph (a string literal). There may be up to 32 inputs; undefined
/// inputs are allowed and receive no gradient. `attributes` are the numbers that determine the result together with the
/// inputs; see ObserveOps.
Tensor record(std::string_view op, Tensor output, std::span<const Tensor> inputs, BackwardFn backward,
              std::initializer_list<OpAttribute> attributes = {});
Tensor record(std::string_view op, Tensor output, std::initializer_list<Tensor> inputs, BackwardFn backward,
              std::initializer_list<OpAttribute> attributes = {});
///@}

/// Differentiates `root` and adds the results to grad() of each leaf that requires a gradient. `seed` is the gradient
/// with respect to `root`, of the same shape and dtype; if it is undefined, `root` must be a scalar and the seed is 1.
/// The walk over the graph is iterative, and the tensors that an op has saved are freed as soon as its backward
/// function has run. Throws Error when `root` has no graph, when `seed` does not match it, or when an earlier
/// backward() has already freed one of its ops; the message names the op.
void backward(const Tensor& root, const Tensor& seed = {});

/// Called when a leaf's gradient is complete.
using GradientWatcher = std::function<void(const std::shared_ptr<TensorImpl>& leaf)>;

/// While the object exists, backward() on this thread calls `watcher` for each leaf as soon as the leaf's gradient is
/// complete, that is, when neither the rest of this walk over the graph nor an enclosing walk (around recompute()) will
/// add to it. Each leaf is reported once per walk, between two ops, including leaves that received no gradient. An
/// exception from the watcher ends the walk. Objects can be nested; the innermost is in effect.
class WatchGradients {
public:
    /// Starts watching on this thread.
    explicit WatchGradients(GradientWatcher watcher);
    ~WatchGradients();
    WatchGradients(const WatchGradients&) = delete;
    WatchGradients& operator=(const WatchGradients&) = delete;

private:
    GradientWatcher watcher_;
    const GradientWatcher* previous_;
};

/// Returns the names of the ops in the graph of `root`, beginning with the op that produced `root`. For tests and
/// debugging.
std::vector<std::string> graph_ops(const Tensor& root);

/// One call of an op. The object is valid only while the watcher runs.
struct OpCall {
    std::string_view op;                      ///< its name
    std::span<const Tensor> inputs;           ///< as they were passed, undefined ones included
    const Tensor& output;                     ///< its result
    std::span<const OpAttribute> attributes;  ///< its numbers

    /// Returns the value of the attribute `name`. Throws Error naming the op when it has no such attribute.
    double attribute(std::string_view name) const;
};
/// Called for each op.
using OpWatcher = std::function<void(const OpCall& call)>;

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

/// Whether ops are being observed on this thread. If so, code that would fuse several layers into one op must run them
/// separately.
bool ops_observed();
/// Whether code may replace several ops by one fused op for evaluation, which has no gradient and may round
/// differently. This is the case when gradients are disabled, ops are not observed, and this thread is not running a
/// segment of recompute(), whose two runs must give the same bits.
bool may_fuse();

/// Computes segment(x) but keeps only x for backward, which runs the segment again (Chen et al. 2016, "Training Deep
/// Nets with Sublinear Memory Cost"). This costs one more forward pass and keeps the activations of only one segment at
/// a time.
///
/// The second run draws the same random numbers from default_generator() as the first and does not update running
/// statistics, so results, gradients and buffers are bitwise equal to those of segment(x). `parameters` must contain
/// the parameters that the segment uses; the op is differentiable if x or one of them needs a gradient. It may contain
/// those of the whole network, but if the network is partly frozen, backward then runs frozen segments again
/// needlessly. When gradients are disabled, recompute() only returns segment(x). The segment must be deterministic:
/// every call has to compute the same function.
Tensor recompute(const std::function<Tensor(Tensor)>& segment, const Tensor& x,
                 const std::vector<Tensor>& parameters = {});

/// Whether this thread is running a segment for the second time. State that changes in each forward pass, such as
/// running statistics, must not be updated in the second run.
bool recomputing();

}  // namespace radial
