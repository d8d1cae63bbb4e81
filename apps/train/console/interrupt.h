// Ending a run on SIGINT, SIGTERM or SIGHUP after the step that is under way.
#pragma once

#include "radial/core/util/error.h"

#include <cstddef>
#include <string>
#include <vector>

namespace radial::train {

/// A run that a signal has ended; run_program() gives 128 + signal as exit status, and prints no empty message.
class Interrupted : public Error {
public:
    Interrupted(int signal, const std::string& message) : Error(message), signal_(signal) {}
    int signal() const { return signal_; }

private:
    int signal_;
};

/// Notes SIGINT, SIGTERM and SIGHUP for as long as it lives, instead of letting them have their default effect. A
/// second signal of the same kind has its usual effect at once. SIGHUP stays ignored if it was ignored before, as under
/// nohup. Only one may exist at a time; make it on the main thread, because the system delivers a process's signals
/// there.
///
/// The handlers run on a stack of their own. While oneDNN multiplies long matrices, the stack pointer points into the
/// heap, and a handler on the usual stack would overwrite what lies below. A program's own handlers need SA_ONSTACK for
/// the same reason.
class SignalWatch {
public:
    SignalWatch();
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;
    /// The signal that came, or 0.
    int received() const;

private:
    void set(void (*handler)(int), int flags) const;

    bool hangups_;                  ///< whether SIGHUP is noted
    std::vector<std::byte> stack_;  ///< the handlers'; empty where the thread had one before
};

/// The signal that a SignalWatch has noted, or 0.
int noted_signal();

/// "SIGINT", "SIGTERM", "SIGHUP".
std::string signal_name(int signal);

}  // namespace radial::train
