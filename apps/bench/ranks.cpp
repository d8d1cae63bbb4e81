// Times steps on the ranks that mpirun has started, and shows when the buckets of gradients of one step are reduced,
// in milliseconds from the start of backward.
#include "radial/apps/bench/bench.h"

#include "radial/apps/cli/validators.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/ranks/rank_step.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/backend/backend.h"
#include "radial/core/ops.h"
#include "radial/core/optim/optim.h"
#include "radial/core/tensor/random.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace radial::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct RanksOptions {
    std::string model = "resnet20";
    std::int64_t batch = 128, steps = 20, warmup = 3;
    double bucket_mb = 0;
    bool sync_batch_norm = false;
    int threads = 0;
};

/// CPU time that this process has used, in seconds.
double processor_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// A rank's part of a batch of noise, and the network that it trains.
class Rank {
public:
    Rank(Communicator& ranks, const RanksOptions& options) : info_(train::model_named(options.model)) {
        manual_seed(1);
        classifier_ = train::build_classifier({.model = options.model,
                                               .dim = info_.dim,
                                               .loss = "softmax",
                                               .loss_settings = loss_settings("softmax"),
                                               .classes = info_.classes});
        optimizer_ = std::make_unique<Sgd>(classifier_.parameters(), SgdOptions{.lr = 0.001, .momentum = 0.9});
        step_ = std::make_unique<train::RankStep>(
            ranks, *classifier_.model, *classifier_.loss, classifier_.parameters(), Device{},
            train::RankStepOptions{.sync_batch_norm = options.sync_batch_norm,
                                   .gradients = {static_cast<std::size_t>(options.bucket_mb * 1e6)}});
        samples_ = options.batch / ranks.size();
        images_ = Tensor::empty({samples_, info_.image[0], info_.image[1], info_.image[2]});
        normal_(images_, 0, 1);
        std::vector<std::int64_t> labels(static_cast<std::size_t>(samples_));
        for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i) % info_.classes;
        labels_ = Tensor::from(labels, {samples_});
    }

    /// Runs one step. Returns when backward() began and when everything was done, in seconds from the start of the
    /// step.
    std::pair<double, double> run() {
        const Clock::time_point start = Clock::now();
        const auto since = [start] { return std::chrono::duration<double>(Clock::now() - start).count(); };
        step_->begin(samples_, 1, ++steps_);
        const Tensor feature = classifier_.model->forward(images_);
        const Tensor loss = classifier_.loss->forward(feature, labels_);
        optimizer_->zero_grad();
        const double forward = since();
        const Tensor share = loss * (static_cast<double>(samples_) / static_cast<double>(step_->samples()));
        step_->backward(share, train::Sending::meanwhile);
        step_->finish({.loss = share, .correct = Tensor::zeros({})});
        optimizer_->step();
        return {forward, since()};
    }
    const ReductionTimes& times() const { return step_->times(); }

private:
    const ModelInfo& info_;
    train::Classifier classifier_;
    std::unique_ptr<Optimizer> optimizer_;
    std::unique_ptr<train::RankStep> step_;
    Tensor images_, labels_;
    std::int64_t samples_ = 0, steps_ = 0;
};

/// "....====" in a text of `width` characters: '.' from `ready` to `begin`, '=' from `begin` to `end`, on a time axis
/// of length `whole`.
std::string bar(double ready, double begin, double end, double whole, int width) {
    std::string text(static_cast<std::size_t>(width), ' ');
    const auto place = [&](double t) {
        return static_cast<std::size_t>(std::clamp(std::floor(t / whole * width), 0.0, width - 1.0));
    };
    for (std::size_t i = place(ready); i <= place(begin); ++i) text[i] = '.';
    for (std::size_t i = place(begin); i <= place(end); ++i) text[i] = '=';
    return text;
}

void print_timeline(const ReductionTimes& times) {
    constexpr int width = 60;
    constexpr double ms = 1000;
    fmt::print("{:<28}{:>9}{:>9}{:>9}\n", "milliseconds from the start", "ready", "begin", "end");
    fmt::print("{:<28}{:>9}{:>9.2f}{:>9.2f}  |{}|\n", "backward", "", 0.0, ms * times.backward,
               bar(0, 0, times.backward, times.finish, width));
    for (const BucketTimes& bucket : times.buckets) {
        fmt::print("{:<28}{:>9.2f}{:>9.2f}{:>9.2f}  |{}|\n",
                   fmt::format("{:.0f} kB, {} gradients", static_cast<double>(bucket.bytes) * 1e-3, bucket.parameters),
                   ms * bucket.ready, ms * bucket.begin, ms * bucket.end,
                   bar(bucket.ready, bucket.begin, bucket.end, times.finish, width));
    }
    fmt::print("{:<28}{:>9}{:>9}{:>9.2f}\n", "finish", "", "", ms * times.finish);
}

void run(const RanksOptions& options) {
    const std::unique_ptr<Communicator> ranks = join_ranks();
    RADIAL_CHECK(options.batch % ranks->size() == 0, "--batch: {} images do not divide among {} ranks", options.batch,
                 ranks->size());
    set_num_threads(options.threads > 0 ? options.threads : std::max(1, num_threads() / ranks->local_size()));
    Rank rank(*ranks, options);
    for (std::int64_t i = 0; i < options.warmup; ++i) rank.run();
    ranks->barrier();
    const double before = processor_seconds();
    const Clock::time_point start = Clock::now();
    std::vector<double> whole, forward, behind;
    for (std::int64_t i = 0; i < options.steps; ++i) {
        const auto [at_backward, at_end] = rank.run();
        whole.push_back(1000 * at_end);
        forward.push_back(1000 * at_backward);
        behind.push_back(1000 * (rank.times().finish - rank.times().backward));
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const double busy = (processor_seconds() - before) / seconds;
    const std::vector<std::string> all = ranks->gather(fmt::format("{:.2f}", busy));
    if (ranks->rank() != 0) return;
    const Times step = summarise(whole);
    fmt::print("{}\n{}, {} images a step on {} rank{} of {} thread{}, batch norms {}\n", describe_device({}),
               options.model, options.batch, ranks->size(), ranks->size() == 1 ? "" : "s", num_threads(),
               num_threads() == 1 ? "" : "s", options.sync_batch_norm ? "synchronised" : "by rank");
    fmt::print("step: {:.1f} ms (median; quartiles {:.1f} and {:.1f}), {:.0f} images/s\n", step.median,
               step.lower_quartile, step.upper_quartile, 1000 * static_cast<double>(options.batch) / step.median);
    fmt::print("forward: {:.1f} ms; after backward waited for sums: {:.2f} ms (medians)\n", summarise(forward).median,
               summarise(behind).median);
    for (std::size_t k = 0; k < all.size(); ++k) fmt::print("rank {}: {} processors busy\n", k, all[k]);
    if (ranks->size() > 1) print_timeline(rank.times());
}

}  // namespace

train::Command ranks_command() {
    return {
        "ranks", "Time steps on several ranks and show when gradients are sent", [](CLI::App& app) {
            auto options = std::make_shared<RanksOptions>();
            const auto add = [&app](const char* flag, auto& value, const std::string& text) {
                return app.add_option(flag, value, text)->capture_default_str();
            };
            add("--model", options->model, "Network; radial-models lists them");
            add("--batch", options->batch, "Images per step, over all ranks")->check(train::within(1, 1000000));
            add("--bucket-mb", options->bucket_mb,
                "Approximate size of a gradient bucket in megabytes; 0 chooses by the size of the network")
                ->check(train::within(0.0, 4096.0));
            app.add_flag("--sync-batch-norm", options->sync_batch_norm, "Batch norms use the statistics of all ranks");
            add("--threads", options->threads, "Threads per rank; 0 divides the cores")->check(train::within(0, 4096));
            add("--steps", options->steps, "Measured steps")->check(train::within(1, 1000000));
            add("--warmup", options->warmup, "Warm-up steps")->check(train::within(0, 1000000));
            return [options] { run(*options); };
        }};
}

}  // namespace radial::bench
