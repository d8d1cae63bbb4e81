// What a run shows while it works: one line that redraws itself on a terminal, plain lines now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace radial::train {

/// How far an epoch is and how it goes.
struct ProgressState {
    std::int64_t epoch = 0, epochs = 0;  ///< epoch counts from 1
    std::int64_t step = 0, steps = 0;    ///< of this epoch
    double loss = 0;                     ///< mean over the epoch so far
    double accuracy = 0;                 ///< of the training batches so far
    double images_per_second = 0;
    double seconds_left = 0;  ///< of the whole run
};

/// "epoch 2/8  62%  loss 0.0213  accuracy 99.12%  1480 images/s  1:07 left", with a bar of `bar_width` characters
/// when that is above 0.
std::string format_progress(const ProgressState& state, int bar_width);
/// "0:07", "12:30", "1:02:03".
std::string format_duration(double seconds);

/// Draws progress on standard output, and throws nothing where that cannot be written.
class Progress {
public:
    /// Asks whether standard output is a terminal.
    Progress();
    /// Shows `state` if enough time has passed since the last time: 0.1 s on a terminal, 10 s elsewhere.
    void update(const ProgressState& state);
    /// Prints a whole line, in place of the one being redrawn; see shown_lines().
    void line(const std::string& text);

private:
    /// What takes the line that is being redrawn away.
    std::string erasure() const;

    bool terminal_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point last_;
};

}  // namespace radial::train
