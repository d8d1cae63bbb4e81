// Pages and tables from the checkpoints of classifiers: features and prototypes, the similarities of classes compared
// with WordNet, and how well classes and superclasses are separated.
#pragma once

#include "radial/apps/cli/image_task.h"
#include "radial/apps/prototypes/class_similarity.h"
#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/run/input_notes.h"

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace radial::train {

/// A classifier that was named on the command line.
struct TrainedRun {
    std::string name;                  ///< as given: the folder of a run, or a checkpoint
    std::filesystem::path checkpoint;  ///< the file that was read
    Classifier classifier;
    InputNotes notes;
};

/// Loads the last checkpoint of each of `runs`, which are folders of runs or checkpoints themselves. Throws Error for
/// the first that cannot be read.
std::vector<TrainedRun> load_runs(const std::vector<std::string>& runs);

/// How to compute features.
struct FeatureOptions {
    std::filesystem::path data;
    std::int64_t batch = 128;
    int threads = 0;
    std::string device = "cpu";
};

/// The runs to draw, and how to compute their features.
struct ScatterPageOptions {
    std::vector<std::string> runs;  ///< folders of runs, or checkpoints
    FeatureOptions features;
    std::filesystem::path out = "scatter.html";
};

/// Computes the test features of each run and writes a page with one chart per run, as in Fig. 1 of the paper:
/// features, prototypes, loss, settings, accuracy. Features of more than two dimensions, and the prototypes with them,
/// are projected onto the first two principal components of the test features. Throws Error before computing anything
/// when a run does not have the classes of the task's test set, or when its feature is one-dimensional.
void write_scatter_page(const ImageTask& task, const ScatterPageOptions& options);

/// The runs to compare with WordNet, and where the results go.
struct SimilarityPageOptions {
    std::vector<std::string> runs;  ///< folders of runs, or checkpoints, with the same classes
    Similarity measure = Similarity::automatic;
    std::filesystem::path wordnet = "/usr/share/wordnet";
    std::filesystem::path synsets = {};       ///< see read_class_words(); empty: none
    std::filesystem::path superclasses = {};  ///< likewise
    std::filesystem::path out = "similarity.html";
    std::filesystem::path json = {};  ///< empty: none
};

/// The correlations of a run's similarities with those of WordNet, over all pairs of classes.
struct WordNetCorrelation {
    double pearson = 0, spearman = 0;
};

/// Writes a page with the similarity of the classes' names by WordNet and that of their prototypes in each run, as in
/// Fig. 4 of the paper, and the correlations of the two over all pairs of classes, as in its Table 2. Returns these
/// correlations. Throws Error when the runs differ in their classes, and as synsets_of() and class_similarity() do.
std::vector<WordNetCorrelation> write_similarity_page(const SimilarityPageOptions& options);

/// The runs to measure, and where the results go.
struct ClusterOptions {
    std::vector<std::string> runs;            ///< folders of runs, or checkpoints
    std::filesystem::path superclasses = {};  ///< see read_class_words(); empty: none
    FeatureOptions features = {};             ///< without data, only prototypes are measured
    std::filesystem::path json = {};          ///< empty: none
};

/// The indices of calinski_harabasz() of a run. NaN: not measured.
struct ClusterIndices {
    double prototypes = std::numeric_limits<double>::quiet_NaN();              ///< prototypes by superclass
    double features = std::numeric_limits<double>::quiet_NaN();                ///< test features by class
    double features_by_superclass = std::numeric_limits<double>::quiet_NaN();  ///< test features by superclass
};

/// Prints the indices of each run as a table, and writes them as JSON. Features are those in the space of the
/// prototypes (Loss::in_prototype_space()). Returns the indices. Throws Error for classes without superclasses if there
/// are no data either.
std::vector<ClusterIndices> measure_clusters(const ImageTask& task, const ClusterOptions& options);

/// The test features of a run, in the space of its prototypes, with the labels. Moves the classifier to `device`.
Evaluation evaluate_features(TrainedRun& run, const ImageTask& task, const std::shared_ptr<data::Dataset>& test,
                             const FeatureOptions& options, Device device);

/// Throws Error unless `run` has as many classes as `test`, with the same names if both are known. If the names of
/// `test` are only guessed, prints a warning instead when they differ.
void check_test_set(const TrainedRun& run, const data::Dataset& test, const std::filesystem::path& data);

}  // namespace radial::train
