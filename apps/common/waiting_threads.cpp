// Starting a program with OpenMP's setting for threads that wait.
#include "radial/apps/common/waiting_threads.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace radial::apps {

void let_waiting_threads_sleep(const char* const* argv) {
    if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
    std::error_code error;
    // The file itself, not the link: lists of processes show its name.
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error || ::setenv("GOMP_SPINCOUNT", "1000", 1) != 0) return;
    ::execv(program.c_str(), const_cast<char* const*>(argv));  // NOLINT(*-const-cast): it changes nothing
}

}  // namespace radial::apps
