// The similarities of the classes of a classifier, computed from their prototypes.
#pragma once

#include "radial/apps/train/classifier.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace radial::train {

/// A measure of the similarity of two prototypes.
enum class Similarity : std::uint8_t {
    automatic,  ///< `kernel` for rbf-softmax; `distance` for losses that predict by distances; else `cosine`
    kernel,     ///< the kernel of RBF-Softmax, exp(-|w - v|^2 / gamma) (Eq. 3 of the paper), in (0, 1]
    cosine,     ///< the cosine of the angle between them, in [-1, 1]
    distance    ///< the negative squared Euclidean distance, at most 0
};
/// The words for the measures.
constexpr auto words_of(Similarity /*value*/) {
    return std::to_array<std::string_view>({"auto", "kernel", "cosine", "distance"});
}

/// The similarity of each pair of classes.
struct ClassSimilarity {
    Similarity measure = Similarity::cosine;  ///< never `automatic`
    std::string description;                  ///< the measure as plain text, with the value of gamma
    std::size_t classes = 0;
    std::vector<double> values;  ///< [classes, classes], symmetric
};

/// The similarities of the classes of `classifier` by its prototypes (Loss::prototypes()), computed in double on the
/// CPU. If a class has several prototypes, the similarity is that of the most similar pair. The kernel uses the trained
/// gamma; if each class has its own, the similarity is the mean of the kernels with the gammas of the two classes. A
/// prototype of length 0 has the cosine 0 to all others. Throws Error when the loss has no prototypes, and for `kernel`
/// when the first term of the loss is not rbf-softmax.
ClassSimilarity class_similarity(const Classifier& classifier, Similarity measure);

/// The elements of `matrix` [classes, classes] above the diagonal, row by row.
std::vector<double> upper_triangle(const std::vector<double>& matrix, std::size_t classes);

}  // namespace radial::train
