// Tests of signals that arrive while a network is trained.
#include "radial/apps/train/console/interrupt.h"
#include "../../expect.h"
#include "radial/core/ops.h"

#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

namespace radial::test {
namespace {

/// Sends a SIGINT to this process, `delay` after construction.
class Sender {
public:
    explicit Sender(std::chrono::microseconds delay)
        : thread_([delay] {
              std::this_thread::sleep_for(delay);
              kill(getpid(), SIGINT);
          }) {}
    ~Sender() { thread_.join(); }
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

private:
    std::thread thread_;
};

/// Returns the size in bytes of this thread's alternate stack for signal handlers; 0 if handlers run on the normal
/// stack.
std::size_t own_stack_size() {
    stack_t stack{};
    REQUIRE(sigaltstack(nullptr, &stack) == 0);
    return (stack.ss_flags & SS_DISABLE) != 0 ? 0 : stack.ss_size;
}

}  // namespace

TEST_CASE("signals that come during long products leave memory as it is", "[host][signals]") {
    const NoGrad no_grad;
    // The matrices have so many rows that oneDNN packs them into its own memory.
    const Tensor a = Tensor::full({20000, 16}, 0.5), b = Tensor::full({20000, 8}, 2);
    const std::vector<float> expected(128, 20000);
    {
        const train::SignalWatch watch;
        REQUIRE(own_stack_size() > 0);  // without a separate stack, the loop below can hang
    }
    for (int i = 0; i < 100; ++i) {
        const train::SignalWatch watch;
        {
            const Sender sender(std::chrono::microseconds(50 * (i % 20)));
            for (int k = 0; k < 3; ++k) CHECK(matmul(a, b, true).to_vector<float>() == expected);
        }
        CHECK(watch.received() == SIGINT);
    }
}

TEST_CASE("a watched signal is handled on a stack of its own, which goes with the watch", "[host][signals]") {
    const std::size_t before = own_stack_size();
    {
        const train::SignalWatch watch;
        CHECK(own_stack_size() > 0);
        struct sigaction action {};
        REQUIRE(sigaction(SIGTERM, nullptr, &action) == 0);
        CHECK((action.sa_flags & SA_ONSTACK) != 0);
    }
    CHECK(own_stack_size() == before);
}

}  // namespace radial::test
