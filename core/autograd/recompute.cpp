// recompute(): the op, and what its second run needs to be like the first.
#include "radial/core/autograd/recompute.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/tensor/random.h"

namespace radial {
namespace {

thread_local int runs_again = 0;

/// While it lives a segment runs again, from the generator's state at the first run.
class SecondRun {
public:
    explicit SecondRun(std::uint64_t seed, std::uint64_t counter)
        : seed_(default_generator().seed()), counter_(default_generator().counter()) {
        ++runs_again;
        default_generator().restore(seed, counter);
    }
    ~SecondRun() {
        default_generator().restore(seed_, counter_);
        --runs_again;
    }
    SecondRun(const SecondRun&) = delete;
    SecondRun& operator=(const SecondRun&) = delete;

private:
    std::uint64_t seed_, counter_;
};

}  // namespace

bool recomputing() { return runs_again > 0; }

Tensor recompute(const std::function<Tensor(Tensor)>& segment, const Tensor& x, const Tensor& parameter) {
    RADIAL_CHECK(x.defined(), "recompute: input is undefined");
    if (!grad_enabled()) return segment(x);
    const std::uint64_t seed = default_generator().seed(), counter = default_generator().counter();
    const Tensor y = [&] {
        const NoGrad guard;
        // Under a name of its own, so that no layer takes x for a temporary.
        const Tensor input = x.detach();
        return segment(input);
    }();
    return record("recompute", y.detach(), {x, parameter},
                  [segment, kept = Saved(x, "recompute", "input"), seed, counter](const Tensor& dy, Needs needs) {
                      const SecondRun run(seed, counter);
                      Tensor input = kept.get().detach();
                      input.set_requires_grad(needs[0]);
                      const Tensor again = segment(input);
                      // Parameters get their gradients here.
                      if (again.requires_grad()) backward(again, dy);
                      return Grads{needs[0] ? input.grad() : Tensor(), {}};
                  });
}

}  // namespace radial
