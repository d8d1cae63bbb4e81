// Muon: momentum, orthogonalisation and update, one matrix after another, and Adam for the other parameters.
#include "radial/core/optim/muon.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/ops/linear_algebra.h"
#include "radial/core/optim/kernels.h"
#include "radial/core/tensor/types.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial {
namespace {

/// Writes a x + b y to `out`, which may be x or y.
template <class T>
void mix(const Tensor& out, double a, const Tensor& x, double b, const Tensor& y) {
    kernels::map(
        out.device(), out.numel(),
        kernels::MuonMix<T>{
            .out = out.data<T>(), .x = x.data<T>(), .y = y.data<T>(), .a = static_cast<T>(a), .b = static_cast<T>(b)});
}

/// x / max(|x|, epsilon) in a new tensor.
template <class T>
Tensor normalised(const Tensor& x, double epsilon) {
    const Tensor numbers = Tensor::empty({2}, DType::float64, x.device()), y = Tensor::empty_like(x);
    auto* const sum = numbers.data<double>();
    kernels::reduce(x.device(), x.numel(), kernels::MuonSquare<T>{x.data<T>()}, 1.0, sum);
    kernels::map(x.device(), 1, kernels::MuonNorm{.sum = sum, .epsilon = epsilon, .factor = sum + 1});
    kernels::map(x.device(), x.numel(),
                 kernels::MuonScaled<T>{.out = y.data<T>(), .x = x.data<T>(), .factor = sum + 1});
    return y;
}

template <class T>
Tensor newton_schulz(const Tensor& matrix, std::int64_t iterations, double epsilon) {
    constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
    const bool tall = matrix.size(0) > matrix.size(1);  // the smaller of x x^T and x^T x gives the same result
    Tensor x = normalised<T>(matrix, epsilon);
    for (std::int64_t i = 0; i < iterations; ++i) {
        const Tensor gram = matmul(x, x, tall, !tall), square = matmul(gram, gram);
        mix<T>(square, c, square, b, gram);
        const Tensor next = tall ? matmul(x, square) : matmul(square, x);
        mix<T>(next, a, x, 1, next);
        x = next;
    }
    return x;
}

/// The number of columns of a parameter that is regarded as a matrix.
std::int64_t columns_of(const Tensor& parameter) {
    return parameter.size(0) == 0 ? 0 : parameter.numel() / parameter.size(0);
}

double factor_of(MuonScale scale, double rows, double columns) {
    if (scale == MuonScale::match_adamw) return 0.2 * std::sqrt(std::max(rows, columns));
    return std::sqrt(std::max(1.0, rows / columns));
}

std::vector<ParameterGroup> joined(std::vector<ParameterGroup> first, const std::vector<ParameterGroup>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

}  // namespace

Tensor orthogonalise(const Tensor& x, std::int64_t iterations, double epsilon) {
    RADIAL_CHECK(x.rank() == 2, "orthogonalise: x is {}, expected a matrix", x.str());
    RADIAL_CHECK(iterations >= 0, "orthogonalise: iterations is {}, expected at least 0", iterations);
    RADIAL_CHECK(epsilon > 0, "orthogonalise: epsilon is {}, expected more than 0", epsilon);
    const NoGrad no_grad;
    if (x.numel() == 0) return x.clone();
    return dispatch_floating(x.dtype(), "orthogonalise",
                             [&](auto zero) { return newton_schulz<decltype(zero)>(x.detach(), iterations, epsilon); });
}

Muon::Muon(std::vector<ParameterGroup> matrices, std::vector<ParameterGroup> others, const MuonOptions& options)
    : Optimizer(joined(matrices, others), options.lr), options_(options), matrices_(matrices.size()) {
    RADIAL_CHECK(options.momentum >= 0 && options.momentum < 1, "Muon: momentum is {}, expected [0, 1)",
                 options.momentum);
    RADIAL_CHECK(options.iterations >= 1 && options.iterations < 100, "Muon: iterations is {}, expected 1 to 99",
                 options.iterations);
    RADIAL_CHECK(options.epsilon > 0 && std::isfinite(options.epsilon),
                 "Muon: epsilon is {}, expected a finite number > 0", options.epsilon);
    for (std::size_t g = 0; g < matrices.size(); ++g) {
        std::vector<Tensor>& row = momentum_.emplace_back();
        for (std::size_t p = 0; p < matrices[g].parameters.size(); ++p) {
            const Tensor& parameter = matrices[g].parameters[p];
            RADIAL_CHECK(parameter.rank() >= 2,
                         "Muon: parameter {}.{} is {}, expected at least two dimensions; put it in the other groups", g,
                         p, parameter.str());
            row.push_back(Tensor::zeros_like(parameter));
        }
    }
    if (std::ranges::all_of(others, [](const ParameterGroup& group) { return group.parameters.empty(); })) return;
    for (ParameterGroup& group : matrices) group.parameters.clear();  // `others` keep their group numbers
    others_ = std::make_unique<Adam>(joined(std::move(matrices), others), AdamOptions{.lr = options.lr,
                                                                                      .beta1 = options.adam_beta1,
                                                                                      .beta2 = options.adam_beta2,
                                                                                      .epsilon = options.adam_epsilon,
                                                                                      .decoupled = true});
}

void Muon::set_lr(double lr) {
    Optimizer::set_lr(lr);
    if (others_) others_->set_lr(lr);
}

void Muon::step() {
    const NoGrad no_grad;
    for (const std::vector<Update>& alike : updates(matrices_))
        for (const Update& update : alike) update_matrix(update);
    if (others_) others_->step();
}

void Muon::update_matrix(const Update& update) {
    const Tensor &parameter = update.parameter, &momentum = momentum_[update.group][update.index];
    check_fits(momentum, parameter);
    if (parameter.numel() == 0) return;
    const Device device = parameter.device();
    const ParameterGroup& group = groups_[update.group];
    // The columns are in the order of memory; the update of an element does not depend on their order.
    const std::int64_t rows = parameter.size(0), columns = columns_of(parameter);
    dispatch_floating(parameter.dtype(), "Muon", [&](auto zero) {
        using T = decltype(zero);
        const Tensor ahead = Tensor::empty({rows, columns}, parameter.dtype(), device);
        kernels::MuonItem<T> item{
            .w = parameter.data<T>(), .g = update.gradient.data<T>(), .m = momentum.data<T>(), .u = ahead.data<T>()};
        kernels::map(
            device, parameter.numel(),
            kernels::MuonMomentum<T>{.item = item,
                                     .fresh = static_cast<T>(1 - options_.momentum),
                                     .ahead = static_cast<T>(options_.nesterov ? 1 - options_.momentum : 0.0)});
        const Tensor direction = newton_schulz<T>(ahead, options_.iterations, options_.epsilon);
        item.u = direction.data<T>();
        kernels::map(device, parameter.numel(),
                     kernels::MuonStep<T>{
                         .item = item,
                         .lr = rate_on(device),
                         .lr_scale = group.lr_scale,
                         .decay = group.weight_decay,
                         .scale = factor_of(options_.scale, static_cast<double>(rows), static_cast<double>(columns))});
    });
    momentum.bump_version();
    parameter.bump_version();
}

std::vector<NamedTensor> Muon::state() const {
    std::vector<NamedTensor> out;
    append_state("momentum", momentum_, out);
    if (!others_) return out;
    for (const NamedTensor& named : others_->state())
        if (named.tensor.numel() > 0) out.push_back(named);  // skips the counts of `matrices`
    return out;
}

void Muon::load_state(const std::vector<NamedTensor>& state) { copy_state("Muon::load_state", this->state(), state); }

}  // namespace radial
