// Module: a named tree of parameters and buffers. Layers, losses and models derive from it.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace radial {

/// A tensor and its dotted path from the root module: "conv1.weight".
struct NamedTensor {
    std::string name;
    Tensor tensor;
};

/// Copies `source` into the tensors of `target`, matched by name, converting dtypes. Throws Error, beginning with `who`
/// and naming the tensors that are given twice, of another shape, missing and left over, of each kind the first eight
/// and how many more there are; then nothing has been changed.
void copy_state(std::string_view who, const std::vector<NamedTensor>& target, const std::vector<NamedTensor>& source);

/// What a buffer holds. It decides what becomes of the buffer when weights are averaged, over steps
/// (core/optim/weight_average.h) or over ranks.
enum class BufferKind : std::uint8_t {
    statistic,  ///< numbers that have a meaningful mean (running means, centres, scales): averaged as weights are
    state,      ///< counters and flags, of which only the present value means anything: never averaged
};

/// Owns parameters (trained), buffers (saved, not trained) and submodules, each under a name that is unique in it.
class Module {
public:
    Module() = default;
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;
    virtual ~Module() = default;

    /// Every parameter below this module, in registration order, depth first. One that is registered in several
    /// places (tied weights) appears once, under its first name.
    std::vector<NamedTensor> named_parameters() const;
    std::vector<Tensor> parameters() const;
    std::vector<NamedTensor> named_buffers() const;
    /// Those of one kind.
    std::vector<NamedTensor> named_buffers(BufferKind kind) const;
    /// Parameters, then buffers: what a checkpoint holds.
    std::vector<NamedTensor> state() const;
    /// Parameters, then the buffers that are statistics: what an average of weights is taken of.
    std::vector<NamedTensor> averaged_state() const;
    /// Copies `source` into the state; see copy_state() for the errors.
    void load_state(const std::vector<NamedTensor>& source);

    /// Training (dropout on, batch statistics) or evaluation, for this module and all below.
    void train(bool on = true);
    void eval() { train(false); }
    bool training() const { return training_; }
    /// Whether the segments of a network, below this module, keep only their inputs for backward and run again there
    /// (core/autograd/recompute.h). Off at first.
    void set_checkpointing(bool on);
    bool checkpointing() const { return checkpointing_; }
    /// Drops every parameter's gradient.
    void zero_grad();
    /// Keeps every parameter below this module as it is: none gets a gradient, and optimizers leave it alone. Those it
    /// has are dropped. freeze(false) trains them again. Running statistics still move while training(): call eval()
    /// on what is to keep them.
    void freeze(bool on = true);
    /// Converts floating parameters and buffers, and their gradients, in place: every handle to them, an optimizer's
    /// too, sees the new elements. Make optimizers afterwards, though: their own state keeps the old dtype or device.
    /// Throws Error when `dtype` is not a floating one.
    void to(DType dtype);
    /// Moves parameters, buffers and gradients, likewise in place. Those of rank 4 are stored as the device's
    /// convolutions want their weights.
    void to(Device device);
    /// Number of elements of all parameters.
    std::int64_t parameter_count() const;

protected:
    Module(Module&&) = default;
    Module& operator=(Module&&) = default;

    // Each of these throws Error when the name is empty, contains a dot or is taken, or when there is nothing to
    // register.

    /// Marks `tensor` as wanting a gradient and returns it.
    Tensor register_parameter(std::string name, Tensor tensor);
    /// `kind` says what the tensor holds; one of integers can only be BufferKind::state.
    Tensor register_buffer(std::string name, Tensor tensor, BufferKind kind);
    template <class M>
    std::shared_ptr<M> register_module(std::string name, std::shared_ptr<M> module) {
        add_child(std::move(name), module);
        return module;
    }

private:
    void add_child(std::string name, std::shared_ptr<Module> module);
    void check_free(const std::string& name) const;
    void visit(const std::string& prefix, const std::function<void(const std::string&, const Module&)>& f) const;
    void convert(const std::function<Tensor(const Tensor&)>& f);

    std::vector<NamedTensor> parameters_, buffers_;
    std::vector<BufferKind> buffer_kinds_;  ///< of buffers_
    std::vector<std::pair<std::string, std::shared_ptr<Module>>> children_;
    bool training_ = true;
    bool checkpointing_ = false;
};

/// A module from one tensor to one tensor.
class Layer : public Module {
public:
    /// `x` is taken by value so that a temporary may be overwritten.
    virtual Tensor forward(Tensor x) = 0;
    Tensor operator()(Tensor x) { return forward(std::move(x)); }
    /// Whether checkpointing takes this layer as a segment: a block of a network, as opposed to a single op.
    virtual bool is_segment() const { return false; }
};

/// recompute() of autograd/recompute.h for a layer, which has to live until backward.
Tensor recompute(Layer& layer, const Tensor& x);

}  // namespace radial
