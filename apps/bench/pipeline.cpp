// Times the loader by itself: decode, random region, flip, normalise.
#include "radial/apps/bench/pipeline.h"

#include "radial/apps/bench/measure.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/run/version.h"
#include "radial/data/image_folder.h"
#include "radial/data/loader.h"

#include <CLI/CLI.hpp>

namespace radial::bench {
namespace {

struct PipelineOptions {
    std::filesystem::path data;
    std::int64_t batch = 50, size = 224, epochs = 5;
    int workers = 2;
    bool exact = false, evaluate = false, json = false;
};

nlohmann::ordered_json run(const PipelineOptions& options) {
    data::ImageSet set = data::read_imagenet(options.data, true);
    set.view = {.resize = options.size * 8 / 7, .crop = options.size};
    data::LoaderOptions loader_options{.batch_size = options.batch,
                                       .shuffle = !options.evaluate,
                                       .seed = 1,
                                       .workers = options.workers,
                                       .mean = {0.485F, 0.456F, 0.406F},
                                       .deviation = {0.229F, 0.224F, 0.225F}};
    if (!options.evaluate) {
        loader_options.random_region = data::RandomRegionOptions{};
        loader_options.transforms.normalised = {data::random_flip()};
        loader_options.scaled_decoding = !options.exact;
    }
    data::Loader loader(set, loader_options);
    std::int64_t epoch = 0;
    double sum = 0;  // so that each batch is looked at
    const Times times = measure(
        [&] {
            loader.start(epoch++);
            while (const auto batch = loader.next()) sum += batch->images.data<float>()[0];
        },
        1, options.epochs);
    return {{"program", fmt::format("radial {}", train::version)},
            {"images", set.size()},
            {"size", options.size},
            {"batch", options.batch},
            {"workers", options.workers},
            {"view", options.evaluate ? "evaluation"
                     : options.exact  ? "random region, exact"
                                      : "random region"},
            {"epochs", options.epochs},
            {"milliseconds", times.median},
            {"milliseconds_min", times.minimum},
            {"images_per_second", 1000 * static_cast<double>(set.size()) / times.median}};
}

}  // namespace

train::Command pipeline_command() {
    return {"pipeline", "Time loading from JPEG files to batches", [](CLI::App& app) {
                auto options = std::make_shared<PipelineOptions>();
                const auto add = [&app](const char* flag, auto& value, const char* text) {
                    return app.add_option(flag, value, text)->capture_default_str();
                };
                app.add_option("--data", options->data, "Folder with train/CLASS/*.JPEG")->required()->type_name("DIR");
                add("--size", options->size, "Side of the images")->check(train::within(1, 10000));
                add("--batch", options->batch, "Images per batch")->check(train::within(1, 1000000));
                add("--workers", options->workers, "Threads")->check(train::within(0, 4096));
                add("--epochs", options->epochs, "Passes over all files")->check(train::within(1, 1000000));
                app.add_flag("--exact", options->exact, "Decode every file at its full size");
                app.add_flag("--evaluate", options->evaluate, "Use the evaluation view instead of random regions");
                app.add_flag("--json", options->json, "Print one JSON object");
                return [options] {
                    const nlohmann::ordered_json result = run(*options);
                    if (options->json) return fmt::print("{}\n", result.dump(2));
                    fmt::print("{:.0f} images a second: {} images of {}, {} workers, median of {} epochs\n",
                               result.at("images_per_second").get<double>(), result.at("images").get<int>(),
                               result.at("view").get<std::string>(), options->workers, options->epochs);
                };
            }};
}

}  // namespace radial::bench
