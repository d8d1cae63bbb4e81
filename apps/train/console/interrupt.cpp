// Signal handlers that record the signal.
#include "radial/apps/train/console/interrupt.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace radial::train {
namespace {

volatile std::sig_atomic_t noted = 0;

void note(int signal) { noted = signal; }

void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
}

/// Whether a signal is ignored. `nohup` and similar tools start programs with SIGHUP ignored, so that they outlive
/// their terminal.
bool is_ignored(int signal) {
    struct sigaction action {};
    return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

/// Size of the handlers' stack in bytes. A handler's frame contains all registers of the processor: 11 kB with AMX.
std::size_t stack_size() {
    constexpr long least = 64L * 1024;
#ifdef _SC_SIGSTKSZ
    return static_cast<std::size_t>(std::max(least, sysconf(_SC_SIGSTKSZ)));
#else
    return least;
#endif
}

}  // namespace

SignalWatch::SignalWatch() : hangups_(!is_ignored(SIGHUP)) {
    noted = 0;
    stack_t present{};
    if (sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) != 0) {
        stack_.resize(stack_size());
        stack_t own{};
        own.ss_sp = stack_.data();
        own.ss_size = stack_.size();
        sigaltstack(&own, nullptr);
    }
    // The first signal restores the default, so that a second one can end a program that hangs.
    set(note, static_cast<int>(SA_RESETHAND | SA_RESTART | SA_ONSTACK));
    // With SIGXFSZ ignored, a write beyond `ulimit -f` fails as on a full disk and does not end the process.
    std::signal(SIGXFSZ, SIG_IGN);
}

SignalWatch::~SignalWatch() {
    set(SIG_DFL, 0);
    if (stack_.empty()) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
}

void SignalWatch::set(void (*handler)(int), int flags) const {
    handle(SIGINT, handler, flags);
    handle(SIGTERM, handler, flags);
    if (hangups_) handle(SIGHUP, handler, flags);
}

int SignalWatch::received() const { return noted; }

int noted_signal() { return noted; }

std::string signal_name(int signal) { return signal == SIGINT ? "SIGINT" : signal == SIGHUP ? "SIGHUP" : "SIGTERM"; }

}  // namespace radial::train
