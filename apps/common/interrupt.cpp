// Signal handlers that leave a note.
#include "radial/apps/common/interrupt.h"

#include <csignal>

namespace radial::apps {
namespace {

volatile std::sig_atomic_t noted = 0;

void note(int signal) { noted = signal; }

void handle(void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

}  // namespace

SignalWatch::SignalWatch() {
    noted = 0;
    // One signal puts the default back, so that a program that hangs can still be ended.
    handle(note, static_cast<int>(SA_RESETHAND | SA_RESTART));
    // A file that reaches `ulimit -f` is an error like a full disk, and not the end of the process.
    std::signal(SIGXFSZ, SIG_IGN);
}

SignalWatch::~SignalWatch() { handle(SIG_DFL, 0); }

int SignalWatch::received() const { return noted; }

int noted_signal() { return noted; }

std::string signal_name(int signal) { return signal == SIGINT ? "SIGINT" : "SIGTERM"; }

}  // namespace radial::apps
