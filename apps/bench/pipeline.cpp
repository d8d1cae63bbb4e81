// Times the loader alone (decode, random crop, flip, normalise), and how much loading adds to a training step.
#include "radial/apps/bench/bench.h"

#include "radial/apps/cli/validators.h"
#include "radial/apps/tasks/tasks.h"
#include "radial/apps/train/run/version.h"
#include "radial/core/backend/backend.h"
#include "radial/core/tensor/random.h"
#include "radial/data/image_folder.h"
#include "radial/data/loader.h"

#include <CLI/CLI.hpp>

#include <chrono>

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
                                       .std = {0.229F, 0.224F, 0.225F}};
    if (!options.evaluate) {
        loader_options.random_region = data::RandomRegionOptions{};
        loader_options.transforms.normalised = {data::random_flip()};
        loader_options.scaled_decoding = !options.exact;
    }
    data::Loader loader(set, loader_options);
    std::int64_t epoch = 0;
    double sum = 0;  // makes sure that each batch is read
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

struct LoaderBenchOptions {
    std::filesystem::path data;
    std::string set = "cifar10", model, device = "cpu";
    std::int64_t batch = 0, block = 20, rounds = 5;
    int threads = 0, workers = 1;
    bool json = false;
};

/// Batches from the data set's loader with the augmentation of its program, repeated without end.
class Batches {
public:
    Batches(const train::ImageTask& task, const LoaderBenchOptions& options, std::int64_t batch)
        : loader_(train::read_set(task, options.data, true), loader_options(task, options, batch)) {
        loader_.start(0);
    }
    data::Batch next() {
        auto batch = loader_.next();
        if (!batch) {
            loader_.start(++epoch_);
            batch = loader_.next();
        }
        return *std::move(batch);
    }

private:
    static data::LoaderOptions loader_options(const train::ImageTask& task, const LoaderBenchOptions& options,
                                              std::int64_t batch) {
        data::LoaderOptions loader{.batch_size = batch,
                                   .shuffle = true,
                                   .drop_last = true,
                                   .seed = 1,
                                   .workers = options.workers,
                                   .mean = task.mean,
                                   .std = task.std,
                                   .scaled_decoding = true};
        train::set_augmentation(task.defaults.augmentation, loader);
        return loader;
    }

    data::Loader loader_;
    std::int64_t epoch_ = 0;
};

nlohmann::ordered_json run(const LoaderBenchOptions& options) {
    set_num_threads(options.threads);
    const train::ImageTask task = options.set == "imagenet" ? train::imagenet_task() : train::cifar10_task();
    StepSetup setup{.model = options.model.empty() ? task.model : options.model,
                    .loss = "softmax",
                    .loss_settings = {},
                    .device = options.device,
                    .batch = options.batch > 0           ? options.batch
                             : options.set == "imagenet" ? 8
                                                         : 128};
    manual_seed(1);
    TrainingStep step(setup);
    Batches batches(task, options, setup.batch);
    const data::Batch kept = batches.next();
    std::vector<double> real, cached;
    const auto timed = [&](bool fresh) {
        const auto start = std::chrono::steady_clock::now();
        if (fresh) {
            const data::Batch batch = batches.next();
            step.set_batch(batch.images, batch.labels);
        } else {
            step.set_batch(kept.images, kept.labels);
        }
        step.run();
        step.loss();  // waits for a device
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    };
    for (std::int64_t i = 0; i < 3; ++i) timed(true);
    for (std::int64_t round = 0; round < options.rounds; ++round) {
        for (const bool fresh : {true, false}) {
            timed(fresh);  // not counted: the workers adapt to the new kind of batch
            for (std::int64_t i = 0; i < options.block; ++i) (fresh ? real : cached).push_back(timed(fresh));
        }
    }
    const Times with = summarise(real), without = summarise(cached);
    return {{"set", options.set},
            {"model", setup.model},
            {"batch", setup.batch},
            {"threads", num_threads()},
            {"workers", options.workers},
            {"steps", real.size()},
            {"milliseconds", with.median},
            {"milliseconds_cached", without.median},
            {"cost", with.median / without.median - 1}};
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

train::Command loader_command() {
    return {"loader", "Compare steps that load data with steps on one fixed batch", [](CLI::App& app) {
                auto options = std::make_shared<LoaderBenchOptions>();
                const auto add = [&app](const char* flag, auto& value, const char* text) {
                    return app.add_option(flag, value, text)->capture_default_str();
                };
                app.add_option("--data", options->data, "Folder of the data set")->required()->type_name("DIR");
                add("--set", options->set, "cifar10 or imagenet")->check(CLI::IsMember({"cifar10", "imagenet"}));
                add("--model", options->model, "Network (default: the set's)");
                add("--batch", options->batch, "Images per step; 0 uses 128, or 8 for ImageNet");
                add("--device", options->device, "cpu, cuda or cuda:N");
                add("--threads", options->threads, "Compute threads; 0 uses every core")->check(train::within(0, 4096));
                add("--workers", options->workers, "Loading threads")->check(train::within(0, 4096));
                add("--block", options->block, "Consecutive steps of each kind")->check(train::within(1, 1000000));
                add("--rounds", options->rounds, "Blocks of each kind")->check(train::within(1, 1000000));
                app.add_flag("--json", options->json, "Print one JSON object");
                return [options] {
                    const nlohmann::ordered_json result = run(*options);
                    if (options->json) return fmt::print("{}\n", result.dump(2));
                    fmt::print("{:.1f} ms a step with loading, {:.1f} ms without: {:+.1f}%\n",
                               result.at("milliseconds").get<double>(), result.at("milliseconds_cached").get<double>(),
                               100 * result.at("cost").get<double>());
                };
            }};
}

}  // namespace radial::bench
