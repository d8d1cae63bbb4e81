// Flags that several commands share.
#include "radial/apps/cli/shared_flags.h"

#include "radial/apps/cli/option_flags.h"
#include "radial/apps/cli/registry_options.h"
#include "radial/apps/train/precision.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdlib>

namespace radial::train {
void add_train_options(CLI::App& app, TrainOptions& options) {
    const std::string run = "Run", ranks = "Several ranks (mpirun -n N)", interruption = "Interruption";
    add_model_options(app, options.model_settings);
    add_loss_options(app, options.loss, options.loss_settings);
    add_fields<ClassifierOptions>(app, options, "Model");
    add_fields<OptimizerOptions>(app, options, "Optimizer");
    add_augmentation_options(app, options.augmentation);
    add_device_option(app, options.device)->group(run);
    add_precision_option(app, options.precision, run);
    add_fields<RunOptions>(app, options, run);
    add_fields<RankOptions>(app, options, ranks);
    add_fields<ResumeOptions>(app, options, interruption);
    app.get_option("--weights")->type_name("FILE");
    app.get_option("--overwrite")->configurable(false);
    app.get_option("--find-lr")->configurable(false);
    app.get_option("--resume")->configurable(false)->excludes("--overwrite")->excludes("--find-lr");
}

CLI::Option* add_device_option(CLI::App& app, std::string& device) {
    const char* const chosen = std::getenv("RADIAL_DEVICE");
    if (chosen != nullptr && *chosen != '\0') device = chosen;
    return app.add_option("--device", device, "cpu, cuda or cuda:N; the default comes from RADIAL_DEVICE if set")
        ->capture_default_str();
}

void add_precision_option(CLI::App& app, Precision& precision, const std::string& group) {
    FlagAdder(app, group.empty() ? app.get_help_ptr()->get_group() : group)(
        "precision", precision, "float32, tf32 (inputs of products rounded to 10 bits) or bf16 (bfloat16 activations)");
}

void add_data_option(CLI::App& app, std::filesystem::path& data, const std::string& set) {
    const char* const root = std::getenv("RADIAL_DATA");
    const bool has_default = !set.empty();
    if (has_default && root != nullptr && *root != '\0') data = std::filesystem::path(root) / set;
    const std::string text = has_default ? "Folder of the data set (default: $RADIAL_DATA/" + set + ")"
                                         : "Folder of the data set, where it is in one";
    const auto option = app.add_option("--data", data, text)->type_name("DIR");
    if (!data.empty()) option->default_str(data.string());
}

void add_augmentation_options(CLI::App& app, AugmentationOptions& options) {
    add_fields(app, options, "Augmentation");
    app.get_option("--color-jitter")->expected(4);
}

void add_picture_options(CLI::App& app, PictureOptions& options, bool train) {
    const FlagAdder add(app, "Pictures");
    PictureOptions::fields(options, add, train);
}

}  // namespace radial::train
