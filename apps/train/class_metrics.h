// Precision, recall and F1 of each class in an evaluation, and the calibration of the evaluation's confidences.
#pragma once

#include "radial/apps/train/evaluate.h"

#include <cstdint>
#include <span>
#include <vector>

namespace radial::train {

/// Precision, recall and F1 of one class, with the definitions of scikit-learn's precision_recall_fscore_support() for
/// zero_division=0: a fraction whose denominator is 0 is 0.
struct ClassMetrics {
    std::int64_t support = 0;    ///< number of samples of the class
    std::int64_t predicted = 0;  ///< number of samples for which the class was predicted
    double precision = 0;        ///< fraction of the samples predicted as the class that belong to it
    double recall = 0;           ///< fraction of the samples of the class that are predicted correctly
    double f1 = 0;               ///< harmonic mean of precision and recall
};

/// Returns the metrics of each class of a confusion matrix, in the order of the classes.
std::vector<ClassMetrics> class_metrics(const Confusion& confusion);

/// Returns the unweighted means of precision, recall and F1 over the classes that occur as true or predicted classes
/// (scikit-learn's average="macro"), and the sums of `support` and `predicted`. All are 0 when no class occurs.
ClassMetrics macro_average(std::span<const ClassMetrics> classes);

/// The samples whose confidence is in (low, high]; a confidence of 0 is in the first bin.
struct CalibrationBin {
    double low = 0, high = 0;    ///< limits of the confidence
    std::int64_t count = 0;      ///< number of samples
    double mean_confidence = 0;  ///< mean confidence of the samples; 0 without samples
    double accuracy = 0;         ///< fraction of the samples that are predicted correctly; 0 without samples
};

/// How well the confidences of predictions match their accuracy (Guo, Pleiss, Sun & Weinberger, "On Calibration of
/// Modern Neural Networks", ICML 2017).
struct Calibration {
    std::vector<CalibrationBin> bins;  ///< bins of equal width, from confidence 0 to 1
    /// The expected calibration error (their equation 3): the mean of |accuracy - mean confidence| over the bins,
    /// weighted by their numbers of samples.
    double expected_error = 0;
    double largest_error = 0;  ///< the maximum calibration error (their equation 5): the largest of these differences
};

/// The k of the top-k accuracy that programs and reports show when there are more than k classes; 5 is usual for
/// ImageNet.
inline constexpr std::int64_t usual_top = 5;

/// The number of bins that the programs use, as Guo et al. do.
inline constexpr std::size_t usual_bins = 15;

/// Returns the calibration of an evaluation's confidences in `bins` bins. Samples whose confidence is not finite are
/// left out. All errors are 0 without samples. Throws Error when `bins` is 0.
Calibration calibration(const Evaluation& evaluation, std::size_t bins = usual_bins);

}  // namespace radial::train
