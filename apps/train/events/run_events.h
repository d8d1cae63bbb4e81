// The events that a run writes for TensorBoard.
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
    Mistake mistake;     ///< the sample, its classes and the confidence
    PngPicture picture;  ///< the picture of the sample
};

/// Writes the learning curves, distances to prototypes and mistakes of a run as events. Each object writes a new file,
/// so a run has a file for each time it was started or resumed.
class RunEvents {
public:
    /// Creates a file in `folder`. Events of earlier files from `first_step` on are discarded (EventFile). Scalars are
    /// written every `log_steps` steps, or if it is 0 only after epochs. Throws FileError when the file cannot be
    /// written, as do the other functions.
    RunEvents(const std::filesystem::path& folder, std::int64_t first_step, std::int64_t log_steps);

    /// Adds a step. Every `log_steps` steps, writes step/loss, step/accuracy, step/gradient_norm and step/NAME for
    /// each metric of the loss (means over the steps since the last write), step/learning_rate and
    /// step/images_per_second.
    void step(const StepReport& report);
    /// Writes at `step` the scalars of an epoch as epoch/NAME, histograms of the squared distances of test features to
    /// prototypes, the first 8 mistakes as pictures, and all mistakes as a table. `class_names` must have a name for
    /// each class that occurs in `mistakes`.
    void epoch(const EpochResult& result, std::int64_t step, const Evaluation& evaluation,
               const std::vector<PicturedMistake>& mistakes, const std::vector<std::string>& class_names);

private:
    /// Sums over the steps since the last scalars.
    struct Window {
        std::int64_t steps = 0, images = 0;
        double loss = 0, correct = 0, gradient_norm = 0;
        MetricMeans metrics;
    };
    /// The progress of the epoch at one point.
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
    std::optional<Mark> last_;  ///< when the speed was last written
    Mark whole_, now_;          ///< after all steps of the host's last read but one; at the current step
};

}  // namespace radial::train
