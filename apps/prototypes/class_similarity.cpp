// Similarities of prototypes: kernels, cosines and distances.
#include "radial/apps/prototypes/class_similarity.h"

#include "radial/core/util/error.h"
#include "radial/losses/sum_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace radial::train {
namespace {

/// The losses that predict by the Euclidean distance to prototypes.
constexpr std::array<std::string_view, 6> distance_losses = {"cpl",         "g-cpl",   "lgm",
                                                             "contrastive", "triplet", "distance-weighted"};

/// The name of the loss or, for a sum, of its first term, which is the one that predicts.
std::string head_of(const ClassifierSpec& spec) {
    const std::vector<ExpressionTerm> terms = parse_expression(spec.loss);
    return terms.front().name;
}

Similarity chosen(Similarity measure, const std::string& head) {
    if (measure != Similarity::automatic) return measure;
    if (head == "rbf-softmax") return Similarity::kernel;
    return std::ranges::find(distance_losses, head) != distance_losses.end() ? Similarity::distance
                                                                             : Similarity::cosine;
}

/// The gamma of each class of an RBF-Softmax.
std::vector<double> gammas_of(const Classifier& classifier, const std::string& head) {
    const LossSettings settings = loss_settings(classifier.spec.loss, classifier.spec.loss_settings);
    const auto own = settings.find(head + ".gamma");  // in a sum
    const double gamma = (own != settings.end() ? own->second : settings.at("gamma")).number();
    std::vector<double> gammas(static_cast<std::size_t>(classifier.spec.classes), gamma);
    for (const NamedTensor& tensor : classifier.loss->state()) {
        if (tensor.name != "log_gamma" && tensor.name != "head.log_gamma") continue;
        const std::vector<float> factors = tensor.tensor.to_vector<float>();
        for (std::size_t c = 0; c < gammas.size(); ++c)
            gammas[c] *= std::exp(static_cast<double>(factors[factors.size() == 1 ? 0 : c]));
    }
    return gammas;
}

double dot(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t d = 0; d < a.size(); ++d) sum += static_cast<double>(a[d]) * static_cast<double>(b[d]);
    return sum;
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t d = 0; d < a.size(); ++d) {
        const double difference = static_cast<double>(a[d]) - static_cast<double>(b[d]);
        sum += difference * difference;
    }
    return sum;
}

double cosine(std::span<const float> a, std::span<const float> b) {
    const double lengths = std::sqrt(dot(a, a)) * std::sqrt(dot(b, b));
    return lengths > 0 ? std::clamp(dot(a, b) / lengths, -1.0, 1.0) : 0;
}

std::string describe(Similarity measure, const std::vector<double>& gammas) {
    if (measure == Similarity::cosine) return "cosine of the angle between the prototypes";
    if (measure == Similarity::distance) return "negative squared distance of the prototypes";
    const auto [low, high] = std::ranges::minmax(gammas);
    return low == high ? fmt::format("kernel exp(−‖w − v‖²/γ) of the prototypes, γ {:.4g}", low)
                       : fmt::format("kernel exp(−‖w − v‖²/γ) of the prototypes, γ {:.4g} to {:.4g}", low, high);
}

}  // namespace

ClassSimilarity class_similarity(const Classifier& classifier, Similarity measure) {
    const std::string head = head_of(classifier.spec);
    const Tensor rows = classifier.loss->prototypes();
    RADIAL_CHECK(rows.defined(), "the loss {} has no prototypes", classifier.spec.loss);
    ClassSimilarity result{.measure = chosen(measure, head),
                           .description = "",
                           .classes = static_cast<std::size_t>(classifier.spec.classes),
                           .values = {}};
    std::vector<double> gammas;
    if (result.measure == Similarity::kernel) {
        RADIAL_CHECK(head == "rbf-softmax", "the loss {} has no kernel, only rbf-softmax has", head);
        gammas = gammas_of(classifier, head);
    }
    result.description = describe(result.measure, gammas);
    const std::vector<float> values = rows.to_vector<float>();
    const auto dim = static_cast<std::size_t>(rows.size(1));
    const std::size_t classes = result.classes, each = values.size() / dim / classes;
    const auto prototype = [&values, dim](std::size_t i) { return std::span(values).subspan(i * dim, dim); };
    const auto similarity = [&](std::size_t a, std::size_t b) {
        if (result.measure == Similarity::cosine) return cosine(prototype(a), prototype(b));
        const double distance = squared_distance(prototype(a), prototype(b));
        if (result.measure == Similarity::distance) return -distance;
        return (std::exp(-distance / gammas[a / each]) + std::exp(-distance / gammas[b / each])) / 2;
    };
    result.values.assign(classes * classes, -std::numeric_limits<double>::infinity());
    for (std::size_t a = 0; a < classes * each; ++a) {
        for (std::size_t b = a; b < classes * each; ++b) {
            const std::size_t row = a / each, column = b / each;
            double& best = result.values[row * classes + column];
            best = std::max(best, similarity(a, b));
            result.values[column * classes + row] = best;
        }
    }
    return result;
}

std::vector<double> upper_triangle(const std::vector<double>& matrix, std::size_t classes) {
    std::vector<double> values;
    for (std::size_t row = 0; row < classes; ++row)
        for (std::size_t column = row + 1; column < classes; ++column) values.push_back(matrix[row * classes + column]);
    return values;
}

}  // namespace radial::train
