// Records SIGINT, SIGTERM and SIGHUP, so that a run can end after the current step.
#pragma once

#include "radial/core/util/error.h"

#include <cstddef>
#include <string>
#include <vector>

namespace radial::train {

/// Thrown when a signal has ended a run. run_program() returns the exit status 128 + signal, and prints nothing if the
/// message is empty.
class Interrupted : public Error {
public:
    Interrupted(int signal, const std::string& message) : Error(message), signal_(signal) {}
    int signal() const { return signal_; }

private:
    int signal_;
};

/// Records SIGINT, SIGTERM and SIGHUP while it exists, instead of letting them have their default effect. A second
/// signal of the same kind has its default effect at once. SIGHUP stays ignored if it was ignored before, as under
/// nohup. Only one SignalWatch may exist at a time. Create it on the main thread, because the system delivers the
/// signals of a process there.
///
/// The handlers run on a separate stack. While oneDNN multiplies long matrices, the stack pointer points into the heap,
/// and a handler on the usual stack would overwrite the memory below it. A program's own handlers need SA_ONSTACK for
/// the same reason.
class SignalWatch {
public:
    SignalWatch();
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;
    /// The signal that was received, or 0.
    int received() const;

private:
    void set(void (*handler)(int), int flags) const;

    bool hangups_;                  ///< whether SIGHUP is recorded
    std::vector<std::byte> stack_;  ///< stack of the handlers; empty if the thread already had an alternate stack
};

/// The signal that a SignalWatch has recorded, or 0.
int noted_signal();

/// The name of a signal: "SIGINT", "SIGTERM" or "SIGHUP".
std::string signal_name(int signal);

}  // namespace radial::train
