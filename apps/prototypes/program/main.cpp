// radial-prototypes: shows what classifiers have learned, as in Fig. 1, Fig. 4 and Table 2 of the RBF-Softmax paper.
#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/option_flags.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/prototypes/prototype_pages.h"
#include "radial/apps/tasks/tasks.h"

#include <CLI/CLI.hpp>

#include <array>
#include <cstdlib>

namespace radial::prototypes {
namespace {

/// The data sets whose features can be computed.
enum class TestSet : std::uint8_t { mnist, cifar10, cifar100, imagenet };
constexpr auto words_of(TestSet /*value*/) {
    return std::to_array<std::string_view>({"mnist", "cifar10", "cifar100", "imagenet"});
}

train::ImageTask task_of(TestSet set) {
    switch (set) {
        case TestSet::mnist:
            return train::mnist_task();
        case TestSet::cifar10:
            return train::cifar10_task();
        case TestSet::cifar100:
            return train::cifar100_task();
        case TestSet::imagenet:
            return train::imagenet_task();
    }
    return {};
}

void add_runs(CLI::App& app, std::vector<std::string>& runs) {
    app.add_option("RUN", runs, "Run folders of train, or checkpoints")->required();
}

void add_file(CLI::App& app, const std::string& name, std::filesystem::path& file, const std::string& text) {
    app.add_option(name, file, text)->capture_default_str()->type_name("FILE");
}

/// Adds the flags that say how to compute features. `data` is the help text of --data.
void add_feature_options(CLI::App& app, TestSet& set, train::FeatureOptions& options, const std::string& data) {
    train::FlagAdder(app, "Options")("set", set, "Format of the data set");
    app.add_option("--data", options.data, data)->type_name("DIR");
    app.add_option("--batch", options.batch, "Images per batch")
        ->capture_default_str()
        ->check(train::within(1, 1000000));
    app.add_option("--threads", options.threads, "Compute threads; 0 uses every core")
        ->capture_default_str()
        ->check(train::within(0, 4096));
    train::add_device_option(app, options.device);
}

/// Writes a page with one scatter chart per run: test features, prototypes, loss, settings, test accuracy.
train::Command scatter_command() {
    return {"scatter", "Plot the test features and prototypes of runs side by side", [](CLI::App& app) {
                auto options = std::make_shared<train::ScatterPageOptions>();
                auto set = std::make_shared<TestSet>(TestSet::mnist);
                add_runs(app, options->runs);
                add_file(app, "--out", options->out, "Output page");
                add_feature_options(app, *set, options->features,
                                    "Folder of the data set (default: that of --set in $RADIAL_DATA)");
                return [options, set] {
                    const train::ImageTask task = task_of(*set);
                    train::FeatureOptions& features = options->features;
                    const char* const root = std::getenv("RADIAL_DATA");
                    if (features.data.empty() && root != nullptr && *root != '\0')
                        features.data = std::filesystem::path(root) / task.set;
                    train::with_memory_advice(features.batch, [&] { train::write_scatter_page(task, *options); });
                };
            }};
}

/// Compares the similarities of prototypes with those of the classes' names.
train::Command similarity_command() {
    return {
        "similarity", "Compare the similarities of prototypes with WordNet's of the class names", [](CLI::App& app) {
            auto options = std::make_shared<train::SimilarityPageOptions>();
            add_runs(app, options->runs);
            add_file(app, "--out", options->out, "Output page");
            add_file(app, "--json", options->json, "Write the figures and the matrices to this file, too");
            train::FlagAdder(app, "Options")(
                "similarity", options->measure,
                "Measure of two prototypes; auto uses the kernel for rbf-softmax, the distance for losses that "
                "predict by it, and the cosine for others");
            app.add_option("--wordnet", options->wordnet, "Folder of WordNet's data.noun and index.noun")
                ->capture_default_str()
                ->type_name("DIR");
            add_file(app, "--synsets", options->synsets,
                     "Lines such as \"crane crane.n.04\": a class and its synset, where the first sense is another");
            add_file(app, "--superclasses", options->superclasses, "Lines of a class and its superclass");
            return [options] { train::write_similarity_page(*options); };
        }};
}

/// Measures how well superclasses and classes are separated.
train::Command clusters_command() {
    return {"clusters", "Measure how well prototypes and features are separated (Calinski-Harabasz index)",
            [](CLI::App& app) {
                auto options = std::make_shared<train::ClusterOptions>();
                auto set = std::make_shared<TestSet>(TestSet::cifar100);
                add_runs(app, options->runs);
                add_file(app, "--json", options->json, "Write the figures to this file, too");
                add_file(app, "--superclasses", options->superclasses,
                         "Lines of a class and its superclass; CIFAR-100's are known");
                add_feature_options(app, *set, options->features,
                                    "Folder of the data set: measure the features of its test images, too");
                return [options, set] {
                    train::with_memory_advice(options->features.batch,
                                              [&] { train::measure_clusters(task_of(*set), *options); });
                };
            }};
}

}  // namespace
}  // namespace radial::prototypes

int main(int argc, char** argv) {
    using namespace radial::prototypes;
    return radial::train::run_program("radial-prototypes", "Shows the features and prototypes of trained classifiers.",
                                      {scatter_command(), similarity_command(), clusters_command()}, argc, argv);
}
