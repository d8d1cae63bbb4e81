// Saves a run by steps, by time and after a signal, and resumes it.
#include "radial/apps/cli/run/run_saver.h"

#include "radial/apps/cli/registry_options.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/core/util/error.h"

#include <cmath>
#include <set>
#include <utility>
#include <vector>

namespace radial::train {
namespace {

using Json = nlohmann::ordered_json;

/// Throws FileError when the trainer rejects `state`, which is from `file`.
void restore(Trainer& trainer, const Json& state, const std::filesystem::path& file) {
    try {
        trainer.restore(state);
    } catch (const std::exception& error) {
        throw FileError(fmt::format("{}: not a run's state: {}", file.string(), error.what()));
    }
}

}  // namespace

bool may_differ(const std::string& option) {
    static const std::set<std::string> options = {"data",       "out",       "threads",     "workers",
                                                  "device",     "graph",     "save-steps",  "save-minutes",
                                                  "keep-saves", "log-steps", "rank-timeout"};
    return options.contains(option);
}

bool may_change(const std::string& option) {
    static const std::set<std::string> options = {
        "epochs", "patience", "batch", "accumulate", "drop-last", "skip-corrupt", "allow-dead-kernel"};
    return options.contains(option);
}

RunSaver::RunSaver(const RankSession& session, SavePlan plan, const Classifier& classifier, const Optimizer& optimizer,
                   const Json& config, Progress& progress, WeightAverage* average)
    : session_(session),
      plan_(std::move(plan)),
      classifier_(classifier),
      optimizer_(optimizer),
      options_(config.at("options")),
      data_(config.at("data")),
      progress_(progress),
      average_(average),
      snapshots_(plan_.folder, plan_.keep) {}

void RunSaver::after_step(Trainer& trainer) {
    const bool by_steps = plan_.steps > 0 && trainer.steps() % plan_.steps == 0;
    const std::chrono::duration<double, std::ratio<60>> minutes = Clock::now() - saved_;
    const bool by_time = plan_.minutes > 0 && minutes.count() >= plan_.minutes;
    const BetweenSteps now = session_.agree({.save = by_steps || by_time, .signal = signals_.received()});
    const bool saved = (now.save || now.signal != 0) && save(trainer);
    end_if_signalled(now.signal, trainer, saved);
}

void RunSaver::after_evaluation(Trainer& trainer, bool whole) {
    const int signal = session_.agree({.save = false, .signal = whole ? 0 : signals_.received()}).signal;
    if (signal != 0) end_if_signalled(signal, trainer, save(trainer));
}

void RunSaver::after_epoch(Trainer& trainer, bool last) {
    const bool saved = save(trainer);
    const int signal = session_.agree({.save = false, .signal = signals_.received()}).signal;
    if (!last) end_if_signalled(signal, trainer, saved);
}

void RunSaver::record(const std::function<void()>& write, bool last) {
    const UseAverage averaged(average_);
    try {
        write();
    } catch (const FileError& error) {
        check_folder();
        // If the run is resumed, it continues before the end of the last epoch and writes all results of the epoch
        // again.
        if (last)
            throw FileError(fmt::format("{}. {}; go on with: {}", error.what(), what_is_kept(), plan_.resume_with));
        progress_.line(fmt::format("warning: {}. {}; training goes on, and the next epoch tries again", error.what(),
                                   what_is_kept()));
    }
}

std::string RunSaver::keep_failed(const FailedStep& failed) const {
    if (!session_.first()) return {};
    try {
        return fmt::format(". Its batch is in {}", save_failed_step(plan_.folder, failed).string());
    } catch (const FileError& error) {
        return fmt::format(". Its batch could not be kept: {}", error.what());
    }
}

void RunSaver::save_now(Trainer& trainer) {
    const Json state = trainer.state();  // on every rank, because state() reads the results of the steps so far
    saved_ = Clock::now();               // set here too, so that after a failure the next attempt waits a full interval
    if (!session_.first()) return;
    snapshots_.save(trainer.steps(), classifier_, optimizer_,
                    {{"options", options_}, {"data", data_}, {"trainer", state}, {"ranks", session_.ranks().size()}},
                    average_);
    saved_ = Clock::now();
}

bool RunSaver::save(Trainer& trainer) {
    try {
        save_now(trainer);
        return true;
    } catch (const FileError& error) {
        check_folder();
        progress_.line(fmt::format("warning: {}. {}; training goes on, and saves again when it is due", error.what(),
                                   what_is_kept()));
        return false;
    }
}

void RunSaver::check_folder() const {
    RADIAL_CHECK(std::filesystem::is_directory(plan_.folder),
                 "{}: the run's folder was deleted or moved while the run was writing to it", plan_.folder.string());
}

std::string RunSaver::what_is_kept() const {
    const std::vector<std::filesystem::path> files = snapshots_.files();
    return files.empty() ? "No snapshot is kept" : fmt::format("{} is kept", files.front().string());
}

void RunSaver::end_after(const RankLost& lost, Trainer& trainer) {
    std::string what_now = fmt::format("go on with: {}", plan_.resume_with);
    if (session_.first()) {
        try {
            if (trainer.abandon_step()) {
                save_now(trainer);
                what_now = fmt::format("the run is saved after step {}, {}", trainer.steps(), what_now);
            }
        } catch (const std::exception& error) {
            what_now = fmt::format("the last step could not be saved ({}), {}", error.what(), what_now);
        }
    }
    throw RankLost(fmt::format("{}; {}", lost.what(), what_now));
}

void RunSaver::end_after(const data::UnreadableSample& unreadable, Trainer& trainer) {
    std::string kept = what_is_kept();
    // The other ranks do not know of the error, and a state must be common to all ranks.
    if (!session_.several() && save(trainer)) kept = fmt::format("The run is saved after step {}", trainer.steps());
    throw FileError(fmt::format("{}. {}; go on without the file with: {} --skip-corrupt", unreadable.what(), kept,
                                plan_.resume_with));
}

void RunSaver::end_if_signalled(int signal, const Trainer& trainer, bool saved) const {
    if (signal == 0) return;
    const std::string message =
        fmt::format("{} after step {}: {}, go on with: {}", signal_name(signal), trainer.steps(),
                    saved ? "the run is saved" : what_is_kept(), plan_.resume_with);
    if (!session_.several()) throw Interrupted(signal, message);
    // mpirun ends all ranks as soon as one has ended, so the first rank prints the message before any of them ends.
    if (session_.first()) {
        const std::string program = plan_.resume_with.substr(0, plan_.resume_with.find(" --resume "));
        print_error(fmt::format("\n{}: {}\n", program, message));
    }
    session_.end_together();
    throw Interrupted(signal, "");
}

void RunSaver::resume(Classifier& classifier, Optimizer& optimizer, Trainer& trainer, Progress& progress) const {
    if (session_.first()) snapshots_.remove_temporaries();
    for (const std::filesystem::path& file : snapshots_.files()) {  // every rank reads it
        try {
            const Snapshot snapshot = read_snapshot(file);
            const Json& state = snapshot.state;
            const auto part = [&](const char* name) {
                if (!state.contains(name)) throw FileError(fmt::format("{}: its state has no {}", file.string(), name));
                return state.at(name);
            };
            const std::vector<std::string> changes = check_options(options_of_this_version(part("options")));
            check_same_data(state.value("data", Json()), data_, plan_.data);  // earlier versions saved none
            // Restored after the options are checked, because with other options the tensors can differ.
            restore_snapshot(snapshot, classifier, optimizer, average_);
            restore(trainer, part("trainer"), file);
            const std::int64_t epochs = trainer.setup().epochs;
            const auto begun = static_cast<std::int64_t>(std::ceil(trainer.progress()));
            RADIAL_CHECK(epochs >= begun, "--epochs: {} is below the {} that the run has {}", epochs, begun,
                         trainer.position().samples > 0 ? "begun" : "done");
            progress.line(fmt::format("resumed after step {} from {}", trainer.steps(), file.string()));
            for (const std::string& change : changes) progress.line(change);
            if (!changes.empty() && trainer.steps() > 0 && epochs > begun)
                progress.line(fmt::format("note: the learning rate of the next step is {:.4g}",
                                          trainer.setup().schedule(trainer.progress())));
            if (const Json before = state.value("ranks", Json(1)); before != session_.ranks().size())
                progress.line(fmt::format("note: saved by a run of {} rank{}, which would have come to other bits",
                                          before.dump(), before == 1 ? "" : "s"));
            return;
        } catch (const FileError& error) {
            progress.line(fmt::format("warning: {}; taking the one before", error.what()));
        }
    }
    throw FileError(fmt::format("{}: no snapshot to go on from", plan_.folder.string()));
}

/// Returns a line for each option that was changed. Throws Error for an option that may not be changed.
std::vector<std::string> RunSaver::check_options(const Json& saved) const {
    std::vector<std::string> changes;
    // Options without a default are not in the options of a run that was started without them.
    for (const char* const name : {"weights", "freeze"})
        RADIAL_CHECK(saved.contains(name) || !options_.contains(name),
                     "--resume: --{} is {}, the run that goes on was started without it; it would be another run, to "
                     "be started with --config {} and another --out",
                     name, options_.at(name).dump(), shell_word(plan_.folder / "config.json"));
    for (const auto& [name, value] : saved.items()) {
        const auto found = options_.find(name);
        const bool same = found != options_.end() && *found == value;
        if (same || may_differ(name)) continue;
        const std::string now = found == options_.end() ? "not given" : found->dump();
        RADIAL_CHECK(may_change(name),
                     "--resume: --{} is {}, the run that goes on has {}; it would be another run, to be started with "
                     "--config {} and another --out",
                     name, now, value.dump(), shell_word(plan_.folder / "config.json"));
        changes.push_back(fmt::format("note: --{} is {} from here on, was {}", name, now, value.dump()));
        if (name == "epochs")
            changes.back() += fmt::format("; the learning rate is that of a run of {}: {}", now, plan_.schedule);
    }
    return changes;
}

}  // namespace radial::train
