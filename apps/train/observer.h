// What a Trainer calls while it trains: the base of logs, checkpoints, early stopping and the like.
#pragma once

#include "radial/apps/train/epoch_result.h"
#include "radial/apps/train/run/failed_step.h"
#include "radial/apps/train/step_log.h"

#include <cstdint>
#include <string>

namespace radial::train {

class Trainer;

/// How far an epoch is, and how it goes.
struct ProgressState {
    std::int64_t epoch = 0, epochs = 0;  ///< epoch counts from 1
    std::int64_t step = 0, steps = 0;    ///< of this epoch
    double loss = 0;                     ///< mean over the epoch so far
    double accuracy = 0;                 ///< of the training batches so far; NaN where targets are not classes
    double images_per_second = 0;
    double seconds_left = 0;  ///< of the whole run
};

/// Watches a Trainer, which calls its functions on the thread that trains; override those of interest. Observers are
/// called in the order in which they were added. An exception ends the training and leaves the trainer as it was when
/// the function was called, so that state() can still be saved.
class Observer {
public:
    Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer() = default;

    /// Called when Trainer::run() starts, before its first step.
    virtual void on_start(Trainer& /*trainer*/) {}
    /// Called after each step has been submitted. On a CUDA device it may still be running: Trainer::state() waits for
    /// it.
    virtual void between_steps(Trainer& /*trainer*/) {}
    /// Called for each step, in order, once its numbers are known. On a CUDA device that is every 32 steps.
    virtual void on_step(Trainer& /*trainer*/, const StepReport& /*report*/) {}
    /// Called whenever the trainer has looked at the steps so far.
    virtual void on_progress(const ProgressState& /*state*/) {}
    /// Called with a line that a user should read, such as a warning.
    virtual void on_note(const std::string& /*line*/) {}
    /// Called between the batches of an evaluation; true abandons the evaluation.
    virtual bool wants_to_stop() { return false; }
    /// Called after each evaluation, while state() is still that of an epoch that awaits it. `whole` is false where the
    /// evaluation was abandoned; one observer must then throw.
    virtual void on_evaluation(Trainer& /*trainer*/, bool /*whole*/) {}
    /// Called after each epoch and its evaluation (Trainer::evaluation()).
    virtual void on_epoch(Trainer& /*trainer*/, const EpochResult& /*result*/) {}
    /// Called with the step that ends the training, before its NumericError is thrown. What it returns is appended to
    /// the error's message.
    virtual std::string on_failure(Trainer& /*trainer*/, const FailedStep& /*failed*/) { return {}; }
};

}  // namespace radial::train
