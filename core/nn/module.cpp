// Modules: registration, naming, and operations on a whole tree of modules.
#include "radial/core/nn/module.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/backend/backend.h"
#include "radial/core/util/text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace radial {

namespace {

/// Appends the tensors of `found` that are not in `seen` yet, with `prefix` before their names.
void append_new(const std::vector<NamedTensor>& found, const std::string& prefix,
                std::unordered_set<const TensorImpl*>& seen, std::vector<NamedTensor>& out) {
    for (const NamedTensor& entry : found)
        if (seen.insert(entry.tensor.impl().get()).second) out.push_back({prefix + entry.name, entry.tensor});
}

/// Replaces the elements of `target` by those of `source`, for all handles to `target`.
void replace_elements(const Tensor& target, const Tensor& source) {
    TensorImpl& impl = *target.impl();
    const TensorImpl& from = *source.impl();
    impl.storage = from.storage;
    impl.dtype = from.dtype;
    impl.layout = from.layout;
    impl.offset = from.offset;
}

}  // namespace

void Module::visit(const std::string& prefix, const std::function<void(const std::string&, const Module&)>& f) const {
    f(prefix, *this);
    for (const auto& [name, child] : children_) child->visit(prefix + name + ".", f);
}

std::vector<NamedTensor> Module::named_parameters() const {
    std::vector<NamedTensor> out;
    std::unordered_set<const TensorImpl*> seen;
    visit("", [&](const std::string& prefix, const Module& m) { append_new(m.parameters_, prefix, seen, out); });
    return out;
}

std::vector<Tensor> Module::parameters() const {
    std::vector<Tensor> out;
    for (const NamedTensor& entry : named_parameters()) out.push_back(entry.tensor);
    return out;
}

std::vector<NamedTensor> Module::named_buffers() const {
    std::vector<NamedTensor> out;
    std::unordered_set<const TensorImpl*> seen;
    visit("", [&](const std::string& prefix, const Module& m) { append_new(m.buffers_, prefix, seen, out); });
    return out;
}

std::vector<NamedTensor> Module::named_buffers(BufferKind kind) const {
    std::vector<NamedTensor> out;
    std::unordered_set<const TensorImpl*> seen;
    visit("", [&](const std::string& prefix, const Module& m) {
        std::vector<NamedTensor> found;
        for (std::size_t i = 0; i < m.buffers_.size(); ++i)
            if (m.buffer_kinds_[i] == kind) found.push_back(m.buffers_[i]);
        append_new(found, prefix, seen, out);
    });
    return out;
}

std::vector<NamedTensor> Module::state() const {
    std::vector<NamedTensor> out = named_parameters();
    for (NamedTensor& entry : named_buffers()) out.push_back(std::move(entry));
    return out;
}

std::vector<NamedTensor> Module::averaged_state() const {
    std::vector<NamedTensor> out = named_parameters();
    for (NamedTensor& entry : named_buffers(BufferKind::statistic)) out.push_back(std::move(entry));
    return out;
}

void Module::load_state(const std::vector<NamedTensor>& source) { copy_state("load_state", state(), source); }

void copy_state(std::string_view who, const std::vector<NamedTensor>& target, const std::vector<NamedTensor>& source) {
    std::vector<std::string> twice, misshapen, missing, left;
    std::unordered_map<std::string_view, const Tensor*> given;
    for (const NamedTensor& entry : source)
        if (!given.emplace(entry.name, &entry.tensor).second)
            twice.push_back(fmt::format("\"{}\" is given twice", entry.name));
    for (const NamedTensor& entry : target) {
        const auto found = given.find(entry.name);
        if (found == given.end() || !found->second->defined())
            missing.push_back(fmt::format("\"{}\" is missing", entry.name));
        else if (found->second->shape() != entry.tensor.shape())
            misshapen.push_back(
                fmt::format("\"{}\" is {}, expected {}", entry.name, found->second->str(), entry.tensor.str()));
    }
    std::unordered_set<std::string_view> wanted;
    for (const NamedTensor& entry : target) wanted.insert(entry.name);
    for (const NamedTensor& entry : source)
        if (!wanted.contains(entry.name)) left.push_back(fmt::format("\"{}\" is left over", entry.name));
    std::vector<std::string> problems;
    const auto append = [&](std::vector<std::string>& kind, std::string_view what) {
        for (std::string& problem : first_of(std::move(kind), what)) problems.push_back(std::move(problem));
    };
    append(twice, "are given twice");
    append(misshapen, "have another shape");
    append(missing, "are missing");
    append(left, "are left over");
    RADIAL_CHECK(problems.empty(), "{}: {}", who, fmt::join(problems, "; "));
    for (const NamedTensor& entry : target) entry.tensor.copy_(*given.at(entry.name));
}

void Module::train(bool on) {
    training_ = on && !keeps_eval_;
    for (const auto& [name, child] : children_) child->train(training_);
}

void Module::keep_eval(bool on) {
    keeps_eval_ = on;
    for (const auto& [name, child] : children_) child->keep_eval(on);
    if (on) training_ = false;
}

void Module::set_recompute(bool on) {
    recomputes_ = on;
    for (const auto& [name, child] : children_) child->set_recompute(on);
}

void Module::freeze(bool on) {
    for (Tensor parameter : parameters()) {
        parameter.set_requires_grad(!on);
        if (on) parameter.clear_grad();
    }
}

void Module::zero_grad() {
    for (const Tensor& parameter : parameters()) parameter.clear_grad();
}

void Module::to(DType dtype) {
    RADIAL_CHECK(is_floating(dtype), "Module::to: expected float32 or float64, got {}", name_of(dtype));
    convert([dtype](const Tensor& x) { return is_floating(x.dtype()) ? x.to(dtype) : x; });
}

void Module::to(Device device) {
    // The layout for convolution weights, so that they need not be rearranged in each step.
    const Layout weights = backend_for(device, DType::float32).weight_layout();
    convert([=](const Tensor& x) { return x.rank() == 4 ? x.to(device).to(weights) : x.to(device); });
}

void Module::convert(const std::function<Tensor(const Tensor&)>& f) {
    for (const NamedTensor& entry : state()) {
        replace_elements(entry.tensor, f(entry.tensor));
        if (const Tensor gradient = entry.tensor.grad(); gradient.defined()) entry.tensor.set_grad(f(gradient));
    }
}

std::int64_t Module::parameter_count() const {
    std::int64_t total = 0;
    for (const Tensor& parameter : parameters()) total += parameter.numel();
    return total;
}

Tensor Module::register_parameter(std::string name, Tensor tensor) {
    check_free(name);
    RADIAL_CHECK(tensor.defined(), "Module: parameter \"{}\" is an undefined tensor", name);
    tensor.set_requires_grad();
    parameters_.push_back({std::move(name), tensor});
    return tensor;
}

Tensor Module::register_buffer(std::string name, Tensor tensor, BufferKind kind) {
    check_free(name);
    RADIAL_CHECK(tensor.defined(), "Module: buffer \"{}\" is an undefined tensor", name);
    RADIAL_CHECK(kind == BufferKind::state || is_floating(tensor.dtype()),
                 "Module: buffer \"{}\" is {}, which has no mean: expected float32 or float64 for a statistic", name,
                 tensor.str());
    buffers_.push_back({std::move(name), tensor});
    buffer_kinds_.push_back(kind);
    return tensor;
}

void Module::add_child(std::string name, std::shared_ptr<Module> module) {
    check_free(name);
    RADIAL_CHECK(module != nullptr, "Module: submodule \"{}\" is null", name);
    children_.emplace_back(std::move(name), std::move(module));
}

void Module::check_free(const std::string& name) const {
    RADIAL_CHECK(!name.empty() && name.find('.') == std::string::npos,
                 "Module: the name \"{}\" must not be empty or contain a dot", name);
    const auto named = [&](const NamedTensor& entry) { return entry.name == name; };
    const bool taken = std::ranges::any_of(parameters_, named) || std::ranges::any_of(buffers_, named) ||
                       std::ranges::any_of(children_, [&](const auto& child) { return child.first == name; });
    RADIAL_CHECK(!taken, "Module: the name \"{}\" is taken", name);
}

Tensor recompute(Layer& layer, const Tensor& x) {
    return recompute([&layer](Tensor input) { return layer.forward(std::move(input)); }, x, layer.parameters());
}

}  // namespace radial
