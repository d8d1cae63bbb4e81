// The base class of observers, which a Trainer calls during training: for logs, checkpoints or early stopping.
#pragma once

#include "radial/apps/train/epoch_result.h"
#include "radial/apps/train/run/failed_step.h"
#include "radial/apps/train/step_log.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace radial::train {

class Trainer;

/// The progress of training within an epoch.
struct ProgressState {
    std::int64_t epoch = 0, epochs = 0;  ///< current epoch, from 1, and number of epochs
    std::int64_t step = 0, steps = 0;    ///< number of steps done in this epoch, and of all its steps
    double loss = 0;                     ///< mean loss over the epoch so far
    double accuracy = 0;                 ///< on the training batches so far; NaN for targets that are not classes
    double images_per_second = 0;        ///< training speed in this epoch
    double seconds_left = 0;             ///< estimated time until the end of the run
};

/// Base class of observers. A Trainer calls the functions below on the thread that trains; override those of interest.
/// Observers are called in the order in which they were added. An exception ends the training and leaves the trainer as
/// it was when the function was called, so that state() can still be saved.
class Observer {
public:
    Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer() = default;

    /// Called when Trainer::run() starts, before its first step.
    virtual void on_start(Trainer& /*trainer*/) {}
    /// Called after each step has been submitted. On a CUDA device, the step may still be running; Trainer::state()
    /// waits for it.
    virtual void between_steps(Trainer& /*trainer*/) {}
    /// Called for each step, in order, once its results are known. On a CUDA device, the results of several steps are
    /// read together, at least every 32 steps.
    virtual void on_step(Trainer& /*trainer*/, const StepReport& /*report*/) {}
    /// Called each time the trainer has read the results of steps: on the CPU after each step, on a CUDA device at
    /// least every 32 steps.
    virtual void on_progress(const ProgressState& /*state*/) {}
    /// Called with a line that a user should read, such as a warning.
    virtual void on_note(const std::string& /*line*/) {}
    /// Called when all steps of an epoch are done and their results are known, before the evaluation.
    virtual void before_evaluation(Trainer& /*trainer*/) {}
    /// Called before each batch of an evaluation. Returning true abandons the evaluation.
    virtual bool wants_to_stop() { return false; }
    /// Called after each evaluation, while state() still describes an epoch that awaits its evaluation. `whole` is
    /// false when the evaluation was abandoned; an observer should then throw; if none does, run_epoch() throws
    /// Error.
    virtual void on_evaluation(Trainer& /*trainer*/, bool /*whole*/) {}
    /// Called after each epoch and its evaluation (Trainer::evaluation()).
    virtual void on_epoch(Trainer& /*trainer*/, const EpochResult& /*result*/) {}
    /// Called with the step that ends the training, before its NumericError is thrown. The returned text is appended to
    /// the error's message.
    virtual std::string on_failure(Trainer& /*trainer*/, const FailedStep& /*failed*/) { return {}; }

    /// Adds the state that a resumed run needs to `states`, under a key that no other observer uses. `states` is a part
    /// of Trainer::state().
    virtual void save_state(nlohmann::ordered_json& /*states*/) const {}
    /// Restores what save_state() added to `states`, where it may be missing. Called by Trainer::restore(), or by
    /// Trainer::observe() if the observer is added later. Throws nlohmann::json::exception or Error when the state is
    /// invalid.
    virtual void restore_state(const nlohmann::ordered_json& /*states*/) {}
};

}  // namespace radial::train
