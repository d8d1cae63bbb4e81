// Counting equal elements.
#include "radial/core/metrics.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/kernels/metrics.h"

namespace radial {

Tensor count_equal(const Tensor& a, const Tensor& b) {
    RADIAL_CHECK(a.defined() && b.defined() && a.dtype() == DType::int64 && b.dtype() == DType::int64 &&
                     a.shape() == b.shape() && a.device() == b.device(),
                 "count_equal: got {} and {}, expected two int64 tensors of one shape on one device", a.str(), b.str());
    const Tensor count = Tensor::empty({}, DType::float64, a.device());
    kernels::reduce(a.device(), a.numel(), kernels::Agree{a.data<const std::int64_t>(), b.data<const std::int64_t>()},
                    1.0, count.data<double>());
    return count;
}

}  // namespace radial
