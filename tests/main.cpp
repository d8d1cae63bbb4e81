// Entry point of the test program: runs the selected cases on the CPU, then again on each CUDA device.
//
// A case runs on every device, with default_device() set to that device, unless a tag says otherwise. [host]: the case
// computes nothing on a device (files, command lines, parsing, HTTP). [device]: it runs on devices only, because it
// tests something that the CPU does not do. [slow]: with the address sanitizer it runs on the CPU only.
// RADIAL_DEVICE=cpu, cuda or cuda:N restricts the run to the CPU, all CUDA devices or one of them; `--out FILE`
// requires it, because each device's run writes the file anew.
#include "radial/core/memory/allocator.h"
#include "radial/core/memory/device_runtime.h"
#include "radial/core/tensor/tensor.h"

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_all.hpp>
using Listener = Catch::EventListenerBase;
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
using Listener = Catch::TestEventListenerBase;
#endif

namespace radial::test {
namespace {

#ifdef __SANITIZE_ADDRESS__
const std::string not_on_devices = "~[host]~[slow]";  // slow cases would take minutes on an emulated device
#else
const std::string not_on_devices = "~[host]";
#endif

Catch::Counts last_round;  // the test cases of the last round

class CountCases : public Listener {
public:
    using Listener::Listener;
    void testRunEnded(const Catch::TestRunStats& run) override { last_round = run.totals.testCases; }
    // The next case gets fresh memory, which an emulated device fills with NaNs.
    void testCaseEnded(const Catch::TestCaseStats&) override {
        if (default_device().kind == Device::Kind::cuda) release_cached_memory(default_device());
    }
};
CATCH_REGISTER_LISTENER(CountCases)

/// The user's selection without the cases of `exclusion` ("~[tag]"). The alternatives in a selection are separated by
/// commas; the exclusion is added to each.
std::vector<std::string> selection_without(const std::string& exclusion, const std::vector<std::string>& selection) {
    std::vector<std::string> all{exclusion};
    for (const std::string& text : selection) {
        std::string changed;
        bool quoted = false, escaped = false;
        for (const char c : text) {
            changed += c;
            if (c == '"' && !escaped) quoted = !quoted;
            if (c == ',' && !escaped && !quoted) changed += exclusion;
            escaped = c == '\\' && !escaped;
        }
        all.push_back(changed);
    }
    return all;
}

class Rounds {
public:
    explicit Rounds(Catch::Session& session) : session_(session), asked_(session.configData()) {}

    void on_cpu() {
        if (select_without("~[device]") == 0) return;
        run("cpu");
    }

    /// `only` is the index of one device, or -1 for all devices.
    void on_cuda(int only) {
        const std::size_t cases = select_without(not_on_devices);
        if (cases == 0) return;
        const int missing = only < 0 ? 0 : only;
        if (device::count() <= missing) {
            summary_ += "CUDA: " + count_of(cases) + " skipped: " + device::unavailable(missing) + '\n';
            ++rounds_;
            return;
        }
        for (int index = 0; index < device::count(); ++index) {
            if (only >= 0 && index != only) continue;
            const Device device{Device::Kind::cuda, index};
            const DefaultDevice guard(device);
            std::cout << device::describe(index) << '\n';
            run(device.str());
        }
    }

    /// Returns 0 if all cases of all rounds passed.
    int finish() {
        if (rounds_ == 0) {
            if (select(asked_.testsOrTags) == 0 || asked_.testsOrTags.empty()) return session_.run();  // prints why
            summary_ = "none of the selected test cases runs where RADIAL_DEVICE asks\n";
        }
        std::cout << summary_ << std::flush;
        return status_;
    }

private:
    std::size_t select_without(const std::string& exclusion) {
        // If the user selects nothing, hidden cases must be excluded explicitly, because any filter selects them, too.
        return select(
            selection_without(asked_.testsOrTags.empty() ? exclusion + "~[.]" : exclusion, asked_.testsOrTags));
    }
    /// Sets the selection and returns the number of its cases.
    std::size_t select(const std::vector<std::string>& selection) {
        auto changed = asked_;
        changed.testsOrTags = selection;
        session_.useConfigData(changed);
        const auto& config = session_.config();
        return Catch::filterTests(Catch::getAllTestCasesSorted(config), config.testSpec(), config).size();
    }

    void run(const std::string& device) {
        ++rounds_;
        last_round = {};
        const int status = session_.run();
        if (status_ == 0) status_ = status;
        const std::size_t failed = last_round.failed;
        summary_ += device + ": " + count_of(last_round.total()) + ", " +
                    (failed == 0 && status == 0 ? "all passed" : std::to_string(failed) + " failed") + '\n';
    }

    static std::string count_of(std::size_t cases) {
        return std::to_string(cases) + (cases == 1 ? " test case" : " test cases");
    }

    Catch::Session& session_;
    const Catch::ConfigData asked_;
    std::string summary_;
    int rounds_ = 0, status_ = 0;
};

bool wants_no_test(const Catch::ConfigData& config) {
    bool listing = config.showHelp || config.libIdentify || config.listTests || config.listTags || config.listReporters;
#if __has_include(<catch2/catch_session.hpp>)
    listing = listing || config.listListeners;
#else
    listing = listing || config.listTestNamesOnly;
#endif
    return listing;
}

int run(int argc, char** argv) {
    Catch::Session session;
    if (const int status = session.applyCommandLine(argc, argv); status != 0) return status;
    if (wants_no_test(session.configData())) return session.run();
    const char* const variable = std::getenv("RADIAL_DEVICE");
    const std::string wanted = variable == nullptr ? "" : variable;
    bool cuda = false;
    int only = -1;
    try {
        if (!wanted.empty()) cuda = Device::parse(wanted).kind == Device::Kind::cuda;
        if (wanted.find(':') != std::string::npos) only = Device::parse(wanted).index;
    } catch (const Error& error) {
        std::cerr << "RADIAL_DEVICE: " << error.what() << '\n';
        return 2;
    }
    Rounds rounds(session);
    if (!cuda) rounds.on_cpu();
    if (cuda || wanted.empty()) rounds.on_cuda(only);
    return rounds.finish();
}

}  // namespace
}  // namespace radial::test

int main(int argc, char** argv) { return radial::test::run(argc, argv); }
