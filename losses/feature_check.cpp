// The checks that every loss makes of its inputs.
#include "radial/losses/feature_check.h"

namespace radial {

void check_feature(std::string_view loss, const Tensor& feature, const Tensor& prototypes) {
    RADIAL_CHECK(feature.defined(), "{}: feature is undefined", loss);
    RADIAL_CHECK(feature.rank() == 2, "{}: feature has shape {}, expected [N, {}]", loss, feature.shape().str(),
                 prototypes.size(1));
    RADIAL_CHECK(feature.size(1) == prototypes.size(1), "{}: feature has dimension {}, prototypes have {}", loss,
                 feature.size(1), prototypes.size(1));
}

void check_labels(std::string_view loss, const Tensor& labels, const Tensor& feature) {
    RADIAL_CHECK(labels.defined(), "{}: labels are undefined", loss);
    RADIAL_CHECK(labels.dtype() == DType::int64 && labels.shape() == Shape({feature.size(0)}),
                 "{}: labels are {}, expected int64[{}]", loss, labels.str(), feature.size(0));
}

}  // namespace radial
