// Optimizers, which update parameters in place from their gradients, and gradient clipping.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

namespace radial {

namespace kernels {
struct AdamFactors;
struct LambFactors;
}  // namespace kernels

/// Parameters that share settings.
struct ParameterGroup {
    std::vector<Tensor> parameters;  ///< updated by the optimizer
    double lr_scale = 1.0;      ///< multiplies the optimizer's learning rate, so that one schedule serves all groups
    double weight_decay = 0.0;  ///< L2, added to the gradient, or decoupled (AdamOptions)
};

/// Base of all optimizers. Parameters without a gradient are skipped.
class Optimizer {
public:
    /// Throws Error when there are no parameters, when one is undefined, an integer tensor or given twice, or when a
    /// rate, scale or decay is negative.
    Optimizer(std::vector<ParameterGroup> groups, double lr);
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;
    virtual ~Optimizer() = default;

    /// Updates every parameter that has a gradient. Throws Error when a gradient or the optimizer's state does not fit
    /// its parameter (the module was converted after the optimizer was created).
    virtual void step() = 0;
    /// Removes the gradients of all parameters.
    void zero_grad();
    /// The learning rate.
    double lr() const { return lr_; }
    /// The groups as given to the constructor.
    const std::vector<ParameterGroup>& groups() const { return groups_; }
    /// The optimizer's state tensors (momentum and so on) by name, for checkpoints: "momentum.0.3" belongs to parameter
    /// 3 of group 0. The tensors are not copies.
    virtual std::vector<NamedTensor> state() const = 0;
    /// Copies `state` into the optimizer's state. Throws Error naming tensors that are missing, left over or of another
    /// shape; nothing has then been changed.
    virtual void load_state(const std::vector<NamedTensor>& state) = 0;
    /// Sets the learning rate. Does not wait for a device. Throws Error when `lr` is negative or not finite, and while
    /// a graph is being recorded on a device of the parameters: the graph would set this rate at every launch.
    virtual void set_lr(double lr);

protected:
    /// A parameter that has a gradient. The gradient has been checked and is in the parameter's layout.
    struct Update {
        std::size_t group, index;    ///< position of the parameter in groups()
        Tensor parameter, gradient;  ///< of the same shape, layout and device
    };
    /// State of an optimizer: one tensor per parameter, group by group; empty if the optimizer does not have it.
    using State = std::vector<std::vector<Tensor>>;
    /// The updates of the first `groups` groups in order, in lists of one dtype and device: one launch processes one
    /// list.
    std::vector<std::vector<Update>> updates(std::size_t groups = std::numeric_limits<std::size_t>::max()) const;
    /// Calls visit(list) for each list of updates(), which updates the parameters and `states` in place. Throws as
    /// check_fits() does, before the first call for a list.
    void visit_updates(std::initializer_list<const State*> states,
                       const std::function<void(const std::vector<Update>&)>& visit);
    /// The elements of the state of a parameter; null if there is no such state.
    template <class T>
    static T* elements(const State& state, const Update& update) {
        return state.empty() ? nullptr : state[update.group][update.index].template data<T>();
    }
    /// The learning rate as a number in the memory of `device`, where kernels read it, so that a step recorded as a
    /// graph follows set_lr().
    const double* rate_on(Device device);
    /// One tensor of zeros per parameter, group by group.
    State zeros_like_parameters() const;
    /// Throws Error when a state tensor no longer fits its parameter.
    static void check_fits(const Tensor& state, const Tensor& parameter);
    /// Zeros that count the updates of each parameter: for each group an int64 tensor with one element per parameter,
    /// on the device of the group. Throws Error, naming the optimizer `who`, when a group has several devices.
    std::vector<Tensor> step_counts(const char* who) const;
    /// Appends the counts of step_counts() to `out`, named "step.group".
    static void append_counts(const std::vector<Tensor>& counts, std::vector<NamedTensor>& out);
    /// Appends `tensors` to `out`, named "name.group.index".
    static void append_state(const std::string& name, const State& tensors, std::vector<NamedTensor>& out);

    std::vector<ParameterGroup> groups_;  ///< see groups()

private:
    double lr_;
    std::vector<Tensor> rates_;  ///< float64 scalars, one on each device
};

/// Options of Sgd.
struct SgdOptions {
    double lr = 0.01;           ///< learning rate
    double momentum = 0.0;      ///< the momentum in the formula of Sgd
    bool nesterov = false;      ///< Nesterov momentum; requires momentum > 0
    double weight_decay = 0.0;  ///< for the constructor without groups: L2, added to the gradient
};
/// Stochastic gradient descent with momentum, as in PyTorch:
///
///     v = momentum * v + g + decay * w
///     w -= lr * (nesterov ? g + decay * w + momentum * v : v)
class Sgd : public Optimizer {
public:
    ///@{
    /// Throws as Optimizer does, and Error for a negative momentum or for nesterov without momentum.
    Sgd(std::vector<Tensor> parameters, const SgdOptions& options);
    Sgd(std::vector<ParameterGroup> groups, const SgdOptions& options);
    ///@}
    void step() override;
    std::vector<NamedTensor> state() const override;
    void load_state(const std::vector<NamedTensor>& state) override;

private:
    SgdOptions options_;
    State velocity_;  ///< empty without momentum
};

/// Options of Adam.
struct AdamOptions {
    double lr = 1e-3;                   ///< learning rate
    double beta1 = 0.9, beta2 = 0.999;  ///< decay of the averages of gradients and of their squares
    double epsilon = 1e-8;              ///< added to the denominator
    double weight_decay = 0.0;          ///< for the constructor without groups
    /// AdamW (Loshchilov & Hutter 2019): decays the weights directly instead of adding to the gradient.
    bool decoupled = false;
};
/// Adam (Kingma & Ba 2015) and AdamW, with bias correction, as in PyTorch:
///
///     m += (1 - beta1) (g - m)
///     v = beta2 v + (1 - beta2) g^2
///     w -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
///
/// where t counts the updates of the parameter.
class Adam : public Optimizer {
public:
    ///@{
    /// Throws as Optimizer does, and Error when a beta is outside [0, 1), epsilon is negative, or a group's parameters
    /// are on several devices.
    Adam(std::vector<Tensor> parameters, const AdamOptions& options);
    Adam(std::vector<ParameterGroup> groups, const AdamOptions& options);
    ///@}
    void step() override;
    std::vector<NamedTensor> state() const override;
    void load_state(const std::vector<NamedTensor>& state) override;

private:
    /// Increments the step count of each parameter and computes its factors from the count and the learning rate.
    void count_steps(const std::vector<Update>& alike, kernels::AdamFactors* factors);

    AdamOptions options_;
    State first_, second_;
    std::vector<Tensor> steps_;  ///< see step_counts()
};

/// The Euclidean norm of all gradients together, accumulated in double; it does not depend on the number of threads.
/// Parameters without a gradient count as 0. Throws Error when gradients are on several devices; so do clip_gradients()
/// and clip_gradient_norm().
double gradient_norm(const std::vector<Tensor>& parameters);
/// Clips the gradients: when their joint norm is finite and above `max_norm` (which may be infinite), multiplies them
/// in place by max_norm / (norm + 1e-6), as in PyTorch. Returns the norm before clipping, a float64 scalar on the
/// gradients' device, without waiting for it. Throws Error when max_norm is not positive.
Tensor clip_gradients(const std::vector<Tensor>& parameters, double max_norm);
/// Like clip_gradients(), but waits for the norm and checks it. Throws NumericError when the norm is not finite, naming
/// the first gradient that is not, and Error when max_norm is not positive; no gradient has then been changed.
double clip_gradient_norm(const std::vector<Tensor>& parameters, double max_norm);

}  // namespace radial
