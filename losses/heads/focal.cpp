// The focal cross-entropy of given logits.
#include "radial/core/kernels/launch.h"
#include "radial/core/ops/common.h"
#include "radial/losses/functional.h"
#include "radial/losses/heads/focal_kernels.h"

#include <cmath>

namespace radial {

using namespace ops;

namespace {

constexpr std::int64_t cost = 8;  // of an element: about one call of exp(), in plain operations

/// The FocalRow whose three arrays are the rows of `kept` [3, N].
template <class T>
kernels::FocalRow<T> rows_of(const Tensor& kept) {
    const std::int64_t batch = kept.size(1);
    T* const first = kept.data<T>();
    return {.top = first, .others = first + batch, .own = first + 2 * batch};
}

}  // namespace

Tensor focal_cross_entropy(const Tensor& logits, const Tensor& labels, double gamma) {
    check_given("focal_cross_entropy", "logits", logits);
    check_labels("focal_cross_entropy", labels, logits.size(0), logits.size(1));
    check_device("focal_cross_entropy", logits, "labels", labels);
    RADIAL_CHECK(gamma >= 0 && std::isfinite(gamma),
                 "focal_cross_entropy: gamma is {}, expected a number of at least 0", gamma);
    const Tensor z = logits.dtype() == DType::bfloat16 ? cast(logits, DType::float32) : logits;
    const std::int64_t batch = z.size(0), classes = z.size(1);
    const Tensor losses = Tensor::empty({batch}, z.dtype(), z.device());
    const Tensor kept = Tensor::empty({3, batch}, z.dtype(), z.device());
    dispatch_floating(z.dtype(), "focal_cross_entropy", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(z.device(), batch, classes,
                      kernels::FocalForward<T>{.logits = z.data<const T>(),
                                               .labels = labels.data<const std::int64_t>(),
                                               .row = rows_of<T>(kept),
                                               .losses = losses.data<T>(),
                                               .classes = classes,
                                               .gamma = gamma},
                      cost);
    });
    const Saved saved_logits(z, "focal_cross_entropy", "logits"), saved_labels(labels, "focal_cross_entropy", "labels");
    return record("focal_cross_entropy", losses, {z},
                  [saved_logits, saved_labels, kept](const Tensor& dy, Needs) -> Grads {
                      const Tensor from = saved_logits.get(), index = saved_labels.get(), dz = Tensor::empty_like(from);
                      dispatch_floating(from.dtype(), "focal_cross_entropy", [&](auto zero) {
                          using T = decltype(zero);
                          kernels::rows(from.device(), from.size(0), from.size(1),
                                        kernels::FocalBackward<T>{.logits = from.data<const T>(),
                                                                  .labels = index.data<const std::int64_t>(),
                                                                  .row = rows_of<T>(kept),
                                                                  .upstream = dy.data<const T>(),
                                                                  .gradient = dz.data<T>(),
                                                                  .classes = from.size(1)},
                                        cost);
                      });
                      return {dz};
                  },
                  {{"gamma", gamma}});
}

}  // namespace radial
