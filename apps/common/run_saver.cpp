// Saving a run by steps, by minutes and at a signal, and taking it up again.
#include "radial/apps/common/run_saver.h"

#include "radial/core/error.h"

#include <set>
#include <utility>

namespace radial::apps {
namespace {

using Json = nlohmann::ordered_json;

/// Options that may differ when a run goes on: they say where and how, not what.
bool is_free(const std::string& option) {
    static const std::set<std::string> free = {"data",  "out",        "threads",      "workers",    "device",
                                               "graph", "save-steps", "save-minutes", "keep-saves", "log-steps"};
    return free.contains(option);
}

}  // namespace

RunSaver::RunSaver(const TrainOptions& run, const Classifier& classifier, const Optimizer& optimizer, Json options,
                   std::string resume_with)
    : run_(run),
      classifier_(classifier),
      optimizer_(optimizer),
      options_(std::move(options)),
      resume_with_(std::move(resume_with)),
      snapshots_(run.out, run.keep_saves) {}

void RunSaver::after_step(Trainer& trainer) {
    const bool by_steps = run_.save_steps > 0 && trainer.steps() % run_.save_steps == 0;
    const std::chrono::duration<double, std::ratio<60>> minutes = Clock::now() - saved_;
    const bool by_time = run_.save_minutes > 0 && minutes.count() >= run_.save_minutes;
    if (by_steps || by_time || signals_.received() != 0) save(trainer);
    end_if_signalled(trainer);
}

void RunSaver::after_epoch(Trainer& trainer, bool last) {
    save(trainer);
    if (!last) end_if_signalled(trainer);
}

void RunSaver::save(Trainer& trainer) {
    snapshots_.save(trainer.steps(), classifier_, optimizer_, {{"options", options_}, {"trainer", trainer.state()}});
    saved_ = Clock::now();
}

void RunSaver::end_if_signalled(const Trainer& trainer) const {
    const int signal = signals_.received();
    if (signal == 0) return;
    throw Interrupted(signal, fmt::format("{} after step {}: the run is saved, go on with: {}", signal_name(signal),
                                          trainer.steps(), resume_with_));
}

void RunSaver::resume(Classifier& classifier, Optimizer& optimizer, Trainer& trainer, Progress& progress) const {
    for (const std::filesystem::path& file : snapshots_.files()) {
        try {
            const Json state = load_snapshot(file, classifier, optimizer);
            check_options(state.at("options"));
            trainer.restore(state.at("trainer"));
            progress.line(fmt::format("resumed after step {} from {}", trainer.steps(), file.string()));
            return;
        } catch (const FileError& error) {
            progress.line(fmt::format("warning: {}; taking the one before", error.what()));
        }
    }
    throw FileError(fmt::format("{}: no snapshot to go on from", run_.out.string()));
}

void RunSaver::check_options(const Json& saved) const {
    for (const auto& [name, value] : saved.items()) {
        const auto now = options_.find(name);
        const bool same = now != options_.end() && *now == value;
        RADIAL_CHECK(same || is_free(name), "--resume: --{} is {}, the run that goes on has {}", name,
                     now == options_.end() ? "not given" : now->dump(), value.dump());
    }
}

}  // namespace radial::apps
