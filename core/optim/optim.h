// Optimizers: they change parameters in place from their gradients.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/tensor/tensor.h"

#include <string>
#include <vector>

namespace radial {

namespace kernels {
struct AdamFactors;
}

/// Parameters that share settings. `lr_scale` multiplies the optimizer's learning rate, so that one schedule moves all.
struct ParameterGroup {
    std::vector<Tensor> parameters;
    double lr_scale = 1.0;
    double weight_decay = 0.0;
};

/// Base of all optimizers. Parameters without a gradient are skipped.
class Optimizer {
public:
    /// Throws Error when there are no parameters, one is undefined, an integer tensor or given twice, or a rate, scale
    /// or decay is negative.
    Optimizer(std::vector<ParameterGroup> groups, double lr);
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;
    virtual ~Optimizer() = default;

    /// One update of every parameter that has a gradient. Throws Error when a gradient or the optimizer's state does
    /// not fit its parameter (the module was converted after the optimizer was made).
    virtual void step() = 0;
    /// Drops all gradients.
    void zero_grad();
    double lr() const { return lr_; }
    /// Throws Error when `lr` is negative or not finite, and while a graph is being recorded on a device of the
    /// parameters, which would then set this rate at every launch. Does not wait.
    void set_lr(double lr);
    const std::vector<ParameterGroup>& groups() const { return groups_; }
    /// Momentum and the like, by name ("momentum.0.3": group 0, parameter 3), for checkpoints. Not copies.
    virtual std::vector<NamedTensor> state() const = 0;
    /// Copies `state` into the optimizer's. Throws Error naming what is missing, left over or misshapen; then nothing
    /// has been changed.
    virtual void load_state(const std::vector<NamedTensor>& state) = 0;

protected:
    /// A parameter that has a gradient, which is checked and in the parameter's layout.
    struct Update {
        std::size_t group, index;
        Tensor parameter, gradient;
    };
    /// All of them in order; those of one dtype and device, which one launch takes, stand together.
    std::vector<std::vector<Update>> updates() const;
    /// The learning rate as kernels on `device` read it, so that a step recorded as a graph follows set_lr().
    const double* rate_on(Device device);
    /// One tensor of zeros a parameter, group by group.
    std::vector<std::vector<Tensor>> zeros_like_parameters() const;
    /// Throws Error when an optimizer's `state` no longer goes with `parameter`.
    static void check_fits(const Tensor& state, const Tensor& parameter);
    /// Appends `tensors` as "name.group.index".
    static void append_state(const std::string& name, const std::vector<std::vector<Tensor>>& tensors,
                             std::vector<NamedTensor>& out);

    std::vector<ParameterGroup> groups_;

private:
    double lr_;
    std::vector<Tensor> rates_;  ///< float64 scalars, one on each device
};

struct SgdOptions {
    double lr = 0.01;
    double momentum = 0.0;
    bool nesterov = false;      ///< needs momentum > 0
    double weight_decay = 0.0;  ///< L2, added to the gradient; for the form without groups
};
/// v = momentum * v + g + decay * w;  w -= lr * (nesterov ? g + decay * w + momentum * v : v), as PyTorch.
class Sgd : public Optimizer {
public:
    /// Throws Error for a negative momentum, and for nesterov without momentum.
    Sgd(std::vector<Tensor> parameters, const SgdOptions& options);
    Sgd(std::vector<ParameterGroup> groups, const SgdOptions& options);
    void step() override;
    std::vector<NamedTensor> state() const override;
    void load_state(const std::vector<NamedTensor>& state) override;

private:
    SgdOptions options_;
    std::vector<std::vector<Tensor>> velocity_;  ///< empty without momentum
};

struct AdamOptions {
    double lr = 1e-3;
    double beta1 = 0.9, beta2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 0.0;
    bool decoupled = false;  ///< AdamW (Loshchilov & Hutter 2019): decay the weights, not the gradient
};
/// Adam (Kingma & Ba 2015) and AdamW, with bias correction, as PyTorch:
/// m += (1 - beta1) (g - m);  v = beta2 v + (1 - beta2) g^2;
/// w -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon), with t the parameter's own updates.
class Adam : public Optimizer {
public:
    /// Throws Error when a beta is outside [0, 1), epsilon is negative, or a group's parameters are on several devices.
    Adam(std::vector<Tensor> parameters, const AdamOptions& options);
    Adam(std::vector<ParameterGroup> groups, const AdamOptions& options);
    void step() override;
    std::vector<NamedTensor> state() const override;
    void load_state(const std::vector<NamedTensor>& state) override;

private:
    /// Counts a step of each parameter, and derives its factors from that and the learning rate.
    void count_steps(const std::vector<Update>& alike, kernels::AdamFactors* factors);

    AdamOptions options_;
    std::vector<std::vector<Tensor>> first_, second_;
    std::vector<Tensor> steps_;  ///< a group's updates so far, int64, one element a parameter, on its device
};

/// The Euclidean norm over all the parameters' gradients together, accumulated in double; the same for any number of
/// threads. Parameters without a gradient count as 0. Throws Error when gradients are on several devices, as the next
/// two do.
double gradient_norm(const std::vector<Tensor>& parameters);
/// Where the joint norm of the gradients is finite and above `max_norm` (which may be infinite), multiplies them in
/// place by max_norm / (norm + 1e-6), as PyTorch. Returns the norm before, a float64 scalar on the gradients' device,
/// without waiting for it. Throws Error when max_norm is not positive.
Tensor clip_gradients(const std::vector<Tensor>& parameters, double max_norm);
/// clip_gradients() for a host that waits for the norm and looks at it. Throws NumericError, naming the first gradient
/// at fault, when the norm is not finite, and Error when max_norm is not positive; then nothing has been changed.
double clip_gradient_norm(const std::vector<Tensor>& parameters, double max_norm);

}  // namespace radial
