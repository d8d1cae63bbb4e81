// What a run shows while it works: one line that redraws itself on a terminal, plain lines now and then elsewhere.
#pragma once

#include "radial/apps/train/observer.h"

#include <chrono>
#include <string>

namespace radial::train {

/// "epoch 2/8  62%  loss 0.0213  accuracy 99.12%  1480 images/s  1:07 left", with a bar of `bar_width` characters
/// when that is above 0.
std::string format_progress(const ProgressState& state, int bar_width);
/// "0:07", "12:30", "1:02:03".
std::string format_duration(double seconds);

/// Draws progress on standard output, and throws nothing where that cannot be written.
class Progress : public Observer {
public:
    /// Asks whether standard output is a terminal.
    Progress();
    /// Shows `state` if enough time has passed since the last time: 0.1 s on a terminal, 10 s elsewhere.
    void update(const ProgressState& state);
    /// Prints a whole line, in place of the one being redrawn; see shown_lines().
    void line(const std::string& text);

    void on_progress(const ProgressState& state) override { update(state); }
    void on_note(const std::string& text) override { line(text); }

private:
    /// What takes the line that is being redrawn away.
    std::string erasure() const;

    bool terminal_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point last_;
};

}  // namespace radial::train
