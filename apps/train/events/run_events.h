// What a run tells TensorBoard.
#pragma once

#include "radial/apps/train/events/event_file.h"
#include "radial/apps/train/events/png_writer.h"
#include "radial/apps/train/trainer.h"

#include <optional>
#include <string>
#include <vector>

namespace radial::train {

/// A misclassified sample and its picture.
struct PicturedMistake {
    Mistake mistake;
    PngPicture picture;
};

/// Writes a run's curves, distances and mistakes as events, into a file of its own for each start of the run.
class RunEvents {
public:
    /// Starts a file in `folder`. Events of earlier files from step `first_step` on count no more. Every `log_steps`
    /// steps there are scalars; with 0 only after epochs. Throws FileError, as all below.
    RunEvents(const std::filesystem::path& folder, std::int64_t first_step, std::int64_t log_steps);

    /// Takes a step; writes step/loss, step/accuracy, step/gradient_norm and step/mean_kernel (means over the steps
    /// since the last time), step/learning_rate and step/images_per_second when it is time.
    void step(const StepReport& report);
    /// Writes, at `step`, the epoch's scalars as epoch/..., histograms of the test features' squared distances to
    /// prototypes, the first few mistakes as pictures and all as a table.
    void epoch(const EpochResult& result, std::int64_t step, const Evaluation& evaluation,
               const std::vector<PicturedMistake>& mistakes, const std::vector<std::string>& class_names);

private:
    /// Sums over the steps since the last scalars.
    struct Window {
        std::int64_t steps = 0, images = 0;
        double loss = 0, correct = 0, gradient_norm = 0, kernel = 0;
    };
    /// How far the epoch is.
    struct Mark {
        double seconds = 0;
        std::int64_t images = 0;
    };
    void add_finite(std::int64_t step, std::vector<TaggedScalar> scalars);
    void note_speed(const StepReport& report);
    std::optional<double> images_per_second();

    EventFile file_;
    std::int64_t log_steps_;
    Window window_;
    std::optional<Mark> last_;  ///< at the last speed written
    Mark whole_, now_;          ///< when the host had looked at all steps of its last look but one; at the present step
};

}  // namespace radial::train
