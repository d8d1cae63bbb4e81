// The optimizer Muon, and the orthogonalisation of matrices.
#pragma once

#include "radial/core/optim/adam.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace radial {

/// The factor of Muon's updates, by the shape [rows, columns] of a matrix.
enum class MuonScale : std::uint8_t {
    original,     ///< sqrt(max(1, rows / columns)), as in Jordan's code
    match_adamw,  ///< 0.2 sqrt(max(rows, columns)): updates of about AdamW's size, so that one rate suits both
};
/// The names of the factors.
constexpr auto words_of(MuonScale /*value*/) { return std::to_array<std::string_view>({"original", "match-adamw"}); }

/// Options of Muon.
struct MuonOptions {
    double lr = 1e-3;                             ///< learning rate
    double momentum = 0.95;                       ///< decay of the average of gradients
    bool nesterov = true;                         ///< Nesterov momentum
    std::int64_t iterations = 5;                  ///< steps of the Newton-Schulz iteration
    MuonScale scale = MuonScale::original;        ///< factor of the updates of matrices
    double epsilon = 1e-7;                        ///< smallest norm that an update is divided by
    double adam_beta1 = 0.9, adam_beta2 = 0.999;  ///< for the other parameters: see AdamOptions
    double adam_epsilon = 1e-8;                   ///< for the other parameters: see AdamOptions
};
/// Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks") for matrices, as in PyTorch
/// but in the parameters' precision instead of bfloat16, and AdamW for the other parameters. A matrix is updated by
///
///     m += (1 - momentum) (g - m)
///     u = nesterov ? momentum * m + (1 - momentum) g : m
///     w -= lr * decay * w
///     w -= lr * scale * orthogonalise(u)
///
/// where a parameter [K, ...], such as the weight of a convolution [K, C, R, S], is a matrix with K rows, and `scale`
/// is that of MuonScale for this matrix. Muon is meant for the weights of hidden layers; biases, norms, embeddings, the
/// first layer and the classifier are better left to AdamW.
class Muon : public Optimizer {
public:
    /// groups() are those of `matrices`, which Muon updates, followed by `others`, which AdamW updates; either may be
    /// empty. The weight decay of all groups is decoupled. Throws as Optimizer and Adam do, and Error when a parameter
    /// of `matrices` has fewer than two dimensions, momentum is outside [0, 1), iterations is outside [1, 99], or
    /// epsilon is not above 0.
    Muon(std::vector<ParameterGroup> matrices, std::vector<ParameterGroup> others, const MuonOptions& options);
    void step() override;
    /// "momentum.g.p" for the matrices, and the state of Adam for the other parameters. g is an index into groups().
    std::vector<NamedTensor> state() const override;
    void load_state(const std::vector<NamedTensor>& state) override;
    void set_lr(double lr) override;

private:
    void update_matrix(const Update& update);

    MuonOptions options_;
    std::size_t matrices_;          ///< number of groups of `matrices`
    State momentum_;                ///< for the groups of `matrices`
    std::unique_ptr<Adam> others_;  ///< has all groups; those of `matrices` are empty. Null without others
};

/// A matrix of the shape of `x` with about the singular vectors of `x` and singular values of about 1 (between 0.7 and
/// 1.2 after 5 iterations, except for singular values of `x` that are far smaller than the largest): x / max(|x|,
/// epsilon), where |x| is the Euclidean norm of all elements, followed by `iterations` steps of the quintic
/// Newton-Schulz iteration of Jordan et al. 2024,
///
///     x = 3.4445 x + (-4.7750 a + 2.0315 a^2) x,  a = x x^T
///
/// x: float32 or float64, which is the precision of all products. A matrix of zeros stays 0. Not recorded on the tape.
/// Throws Error when x is not a matrix, iterations is negative, or epsilon is not above 0.
Tensor orthogonalise(const Tensor& x, std::int64_t iterations = 5, double epsilon = 1e-7);

}  // namespace radial
