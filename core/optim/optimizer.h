// The base of all optimizers, which update parameters in place from their gradients.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/tensor/tensor.h"

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

namespace radial {

/// Parameters that share settings.
struct ParameterGroup {
    std::vector<Tensor> parameters;  ///< updated by the optimizer
    double lr_scale = 1.0;      ///< multiplies the optimizer's learning rate, so that one schedule serves all groups
    double weight_decay = 0.0;  ///< L2, added to the gradient, or decoupled (AdamOptions)
};

/// Base of all optimizers. Parameters without a gradient are skipped.
class Optimizer {
public:
    /// Throws Error when there are no parameters, when one is undefined, given twice or neither float32 nor float64, or
    /// when a rate, scale or decay is negative or not finite.
    Optimizer(std::vector<ParameterGroup> groups, double lr);
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;
    virtual ~Optimizer() = default;

    /// Updates every parameter that has a gradient. Throws Error when a gradient or the optimizer's state does not fit
    /// its parameter (for example because the module was converted after the optimizer was created).
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
    /// Calls visit(list) for each list of updates(). The callback updates the parameters and `states` in place;
    /// visit_updates() then bumps their versions. Throws as check_fits() does, before it calls visit() for the list.
    void visit_updates(std::initializer_list<const State*> states,
                       const std::function<void(const std::vector<Update>&)>& visit);
    /// The elements of the state of a parameter; null if there is no such state.
    template <class T>
    static T* elements(const State& state, const Update& update) {
        return state.empty() ? nullptr : state[update.group][update.index].template data<T>();
    }
    /// The address of the learning rate in the memory of `device`. Kernels read the rate there, so that a step recorded
    /// as a graph follows set_lr(). Throws Error when the first call for a device is made while a graph is being
    /// recorded on it.
    const double* rate_on(Device device);
    /// One tensor of zeros per parameter, group by group.
    State zeros_like_parameters() const;
    /// Throws Error when a state tensor no longer fits its parameter.
    static void check_fits(const Tensor& state, const Tensor& parameter);
    /// Appends `tensors` to `out`, named "name.group.index".
    static void append_state(const std::string& name, const State& tensors, std::vector<NamedTensor>& out);

    std::vector<ParameterGroup> groups_;  ///< see groups()

private:
    double lr_;
    std::vector<Tensor> rates_;  ///< float64 scalars, one on each device
};

}  // namespace radial
