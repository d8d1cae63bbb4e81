// The results of `eval` as text for the terminal, as JSON, and as a table of predictions.
#pragma once

#include "radial/apps/cli/outliers.h"
#include "radial/apps/train/class_metrics.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/retrieval.h"
#include "radial/apps/train/verification.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace radial::train {

/// The threshold of a score and, if there are outliers, how well the score separates them from the test set.
struct ScoreResult {
    std::string name{};
    double threshold = 0;                    ///< reached by the scores of 95% of the test set
    std::optional<Separation> separation{};  ///< none without outliers
};

/// Retrieval among the test images.
struct RetrievalResult {
    RetrievalOptions options;  ///< the distance and the values of K
    RetrievalMetrics metrics;  ///< recall, R-precision and MAP@R
};

/// Verification over all pairs of test images.
struct VerificationResult {
    FeatureDistance distance = FeatureDistance::cosine;  ///< distance of two features
    VerificationMetrics metrics;                         ///< AUROC, equal error rate and operating points
};

/// The results of `eval`.
struct EvalResult {
    std::filesystem::path checkpoint{};                ///< the file that was evaluated
    ClassifierSpec spec{};                             ///< its network and loss
    Views views = Views::one;                          ///< views over which logits were averaged
    std::string part = "test";                         ///< name of the set: "test", or "validation" for held-out images
    std::shared_ptr<data::Dataset> set{};              ///< the set that was evaluated
    Evaluation test{};                                 ///< the evaluation on this set
    std::vector<ScoreResult> scores{};                 ///< empty for targets that are not classes
    std::optional<RetrievalResult> retrieval{};        ///< none without --retrieval
    std::optional<VerificationResult> verification{};  ///< none without --verification
    std::filesystem::path outlier_folder{};            ///< the folder given by --outliers, or empty
    Outliers outliers{};                               ///< the set is null without --outliers
    std::size_t outlier_count = 0;                     ///< number of outliers that could be read

    /// Whether targets are classes, so that there are predictions.
    bool has_classes() const { return !test.labels.empty(); }
    /// The name of a class, or its number if the data set has no names.
    std::string class_name(std::int64_t c) const;
};

/// The metrics of verification as text: the numbers of pairs, AUROC, the equal error rate, and a table of TAR and
/// threshold at each limit of FAR.
std::string verification_text(const VerificationMetrics& found, FeatureDistance distance);
/// The same as JSON. The threshold is null where no pair is accepted.
nlohmann::ordered_json verification_json(const VerificationMetrics& found, FeatureDistance distance);

/// A summary for the terminal: the network, the test loss and, for classes, accuracy, top-5 accuracy, macro averages,
/// the calibration error, and retrieval and verification if they were requested.
std::string summary(const EvalResult& result);
/// A table with the threshold and the separation of each score, or "" without scores.
std::string score_table(const EvalResult& result);
/// A table with precision, recall and F1 of each class, lowest F1 first.
std::string class_table(const EvalResult& result);
/// All results as JSON. Numbers that are not finite are null.
nlohmann::ordered_json as_json(const EvalResult& result);

/// Throws Error unless predictions can be written to `path`, which must end in .csv or .json.
void check_predictions_path(const std::filesystem::path& path);
/// Writes a row per test image: its index, its file if it has one, its class, the predicted class, the softmax
/// probability of the prediction, and whether the prediction is correct. The ending of `path` chooses CSV (RFC 4180) or
/// JSON. There are no rows if targets are not classes. Throws FileError.
void write_predictions(const std::filesystem::path& path, const EvalResult& result);

}  // namespace radial::train
