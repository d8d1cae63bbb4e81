// Entry point of the tests that run on several ranks: mpirun -n 2 radial-rank-tests [CATCH2 ARGUMENT...]. The first
// rank prints its report on standard output. Each other rank prints its report only if one of its tests fails.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#if !__has_include(<catch2/catch_session.hpp>)
#define CATCH_CONFIG_RUNNER  // must be defined before Catch2 is included
#endif
#include "ranks.h"

namespace radial::test {
namespace {

Communicator* joined = nullptr;

int run(int argc, char** argv) {
    Catch::Session session;
    if (const int status = session.applyCommandLine(argc, argv); status != 0) return status;
    const std::unique_ptr<Communicator> all = join_ranks({.timeout = std::chrono::seconds(60)});
    joined = all.get();
    const bool first = all->rank() == 0;
    std::filesystem::path log;
    if (!first) {
        log = std::filesystem::temp_directory_path() /
              ("radial-rank-tests-" + std::to_string(all->rank()) + "-" + std::to_string(all->local_rank()));
        if (std::freopen(log.c_str(), "w", stdout) == nullptr) return 1;
    }
    const int status = session.run();
    std::fflush(stdout);
    if (!first) {
        if (status != 0) std::cerr << std::ifstream(log).rdbuf() << std::flush;
        std::filesystem::remove(log);
    }
    all->barrier();
    return status;
}

}  // namespace

Communicator& ranks() { return *joined; }

}  // namespace radial::test

int main(int argc, char** argv) {
    try {
        return radial::test::run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "radial-rank-tests: " << error.what() << '\n';
        return 1;
    }
}
