// Module: a tree of named parameters and buffers. Layers, losses and models derive from it.
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
    std::string name;  ///< dotted path
    Tensor tensor;     ///< shares the module's elements
};

/// Copies `source` into the tensors of `target`, matched by name and converted to their dtypes. Throws Error when names
/// occur twice, are missing or left over, or shapes differ; in that case nothing is changed. The message begins with
/// `who` and, for each of these problems, names up to eight tensors and states the number of others.
void copy_state(std::string_view who, const std::vector<NamedTensor>& target, const std::vector<NamedTensor>& source);

/// The kind of a buffer's content, which determines how the buffer is treated when weights are averaged over steps
/// (core/optim/weight_average.h) or over ranks.
enum class BufferKind : std::uint8_t {
    statistic,  ///< numbers with a meaningful mean (running means, centres, scales): averaged like weights
    state,      ///< counters and flags, where only the current value is meaningful: never averaged
};

/// Owns parameters (trained), buffers (saved but not trained) and submodules, each under a name that is unique within
/// the module.
class Module {
public:
    Module() = default;
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;
    virtual ~Module() = default;

    /// All parameters of this module and its submodules, in registration order, depth first. A parameter that is
    /// registered in several places (tied weights) appears once, under its first name.
    std::vector<NamedTensor> named_parameters() const;
    /// The tensors of named_parameters().
    std::vector<Tensor> parameters() const;
    /// All buffers of this module and its submodules, in registration order, depth first.
    std::vector<NamedTensor> named_buffers() const;
    /// The buffers of one kind.
    std::vector<NamedTensor> named_buffers(BufferKind kind) const;
    /// Parameters, then buffers: the content of a checkpoint.
    std::vector<NamedTensor> state() const;
    /// Parameters, then the buffers of kind BufferKind::statistic: the tensors that weight averages cover.
    std::vector<NamedTensor> averaged_state() const;
    /// Copies `source` into the tensors of state(). Throws as copy_state() does.
    void load_state(const std::vector<NamedTensor>& source);

    /// The modules registered with this one, and the names under which they are registered.
    const std::vector<std::pair<std::string, std::shared_ptr<Module>>>& named_children() const { return children_; }

    /// Selects training (dropout active, batch statistics) or evaluation, for this module and its submodules, except
    /// those that keep_eval() holds in evaluation.
    void train(bool on = true);
    /// Same as train(false).
    void eval() { train(false); }
    /// Holds this module and its submodules in evaluation, so that train() does not change them: batch norms use their
    /// running statistics and leave them as they are. For parts of a network that are not trained further, or that are
    /// trained with too few samples per batch for statistics. keep_eval(false) releases them; they stay in evaluation
    /// until the next train().
    void keep_eval(bool on = true);
    /// Whether the module is in training mode.
    bool training() const { return training_; }
    /// Selects whether the segments of a network (Layer::is_segment()) below this module keep only their inputs for
    /// backward, which runs them again (core/autograd/autograd.h). Off by default.
    void set_recompute(bool on);
    /// Whether segments are recomputed.
    bool recomputes() const { return recomputes_; }
    /// Removes the gradients of all parameters.
    void zero_grad();
    /// Freezes all parameters of this module and its submodules: they get no gradients, existing gradients are removed,
    /// and optimizers leave the parameters unchanged. freeze(false) reverts this. Running statistics are still updated
    /// while training(); call keep_eval() on modules that should keep theirs.
    void freeze(bool on = true);
    /// Converts floating-point parameters and buffers, and their gradients, in place: every handle to them, including
    /// an optimizer's, sees the new elements. Create optimizers afterwards, though, because their own state keeps the
    /// old dtype and device. Throws Error when `dtype` is not a floating-point type.
    void to(DType dtype);
    /// Moves parameters, buffers and gradients to `device`, also in place. Rank-4 tensors get the layout that the
    /// device's convolutions need for weights.
    void to(Device device);
    /// The number of elements of all parameters.
    std::int64_t parameter_count() const;

protected:
    Module(Module&&) = default;
    Module& operator=(Module&&) = default;

    /// Registers a parameter: marks `tensor` as requiring a gradient and returns it. Throws Error when the name is
    /// empty, contains a dot or is taken, or when the tensor is undefined.
    Tensor register_parameter(std::string name, Tensor tensor);
    /// Registers a buffer and returns it. `kind` is the kind of its content; an integer tensor can only be
    /// BufferKind::state. Throws as register_parameter() does.
    Tensor register_buffer(std::string name, Tensor tensor, BufferKind kind);
    /// Registers a submodule and returns it. Throws as register_parameter() does, and Error for null.
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
    bool keeps_eval_ = false;
    bool recomputes_ = false;
};

/// While the object exists, a module is in evaluation mode. The destructor restores the module's mode with train().
class EvalMode {
public:
    /// Calls module.eval(). `module` must live longer.
    explicit EvalMode(Module& module) : module_(module), was_training_(module.training()) { module_.eval(); }
    ~EvalMode() { module_.train(was_training_); }
    EvalMode(const EvalMode&) = delete;
    EvalMode& operator=(const EvalMode&) = delete;

private:
    Module& module_;
    bool was_training_;
};

/// A module that maps one tensor to one tensor.
class Layer : public Module {
public:
    /// Computes the result. `x` is taken by value so that a temporary may be overwritten.
    virtual Tensor forward(Tensor x) = 0;
    /// Same as forward().
    Tensor operator()(Tensor x) { return forward(std::move(x)); }
    /// Whether set_recompute() treats this layer as a segment, that is, as a block of a network rather than a
    /// single op.
    virtual bool is_segment() const { return false; }
};

/// Applies recompute() (autograd/autograd.h) to a layer, which must live until backward() has run.
Tensor recompute(Layer& layer, const Tensor& x);

}  // namespace radial
