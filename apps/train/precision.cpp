// The names of the precisions, and the casts of a network's input and output.
#include "radial/apps/train/precision.h"

#include "radial/core/backend/backend.h"
#include "radial/core/ops.h"
#include "radial/core/util/error.h"

namespace radial::train {

std::string name_of(Precision precision) {
    return std::string(words_of(precision)[static_cast<std::size_t>(precision)]);
}

void use_precision(Precision precision, Device device) {
    RADIAL_CHECK(precision != Precision::tf32 || device.kind == Device::Kind::cuda,
                 "precision tf32: only CUDA devices have it, the device is {}", device.str());
    set_allow_tf32(precision == Precision::tf32);
}

Tensor feature_of(Layer& model, const Tensor& images, Precision precision) {
    if (precision != Precision::bf16) return model.forward(images);
    return cast(model.forward(cast(images, DType::bfloat16)), DType::float32);
}

}  // namespace radial::train
