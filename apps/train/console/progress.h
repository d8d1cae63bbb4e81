// The progress display of a run: one line that is redrawn on a terminal, and periodic lines elsewhere.
#pragma once

#include "radial/apps/train/observer.h"

#include <chrono>
#include <string>

namespace radial::train {

/// A line such as "epoch 2/8  62%  loss 0.0213  accuracy 99.12%  1480 images/s  1:07 left". If `bar_width` is above 0,
/// the line contains a progress bar of `bar_width` characters in brackets. The accuracy is left out if it is NaN.
std::string format_progress(const ProgressState& state, int bar_width);
/// A duration as M:SS or H:MM:SS: "0:07", "12:30", "1:02:03".
std::string format_duration(double seconds);

/// Shows the progress of a run on standard output. Does not throw when standard output cannot be written.
class Progress : public Observer {
public:
    /// Determines whether standard output is a terminal.
    Progress();
    /// Shows `state` if at least 0.1 s (on a terminal) or 10 s (elsewhere) have passed since the last display or,
    /// before the first one, since construction.
    void update(const ProgressState& state);
    /// Prints permanent text in place of the line that is redrawn. Control characters other than line ends and tabs are
    /// escaped.
    void line(const std::string& text);

    void on_progress(const ProgressState& state) override { update(state); }
    void on_note(const std::string& text) override { line(text); }

private:
    /// The control sequence that erases the line that is redrawn, or "".
    std::string erasure() const;

    bool terminal_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point last_;
};

}  // namespace radial::train
