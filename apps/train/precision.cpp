// Names of precisions, and the casts at both ends of a network.
#include "radial/apps/train/precision.h"

#include "radial/core/backend/backend.h"
#include "radial/core/ops.h"
#include "radial/core/util/error.h"

namespace radial::train {
namespace {

constexpr Precision all[] = {Precision::float32, Precision::tf32, Precision::bf16};

}  // namespace

std::string name_of(Precision precision) {
    switch (precision) {
        case Precision::tf32:
            return "tf32";
        case Precision::bf16:
            return "bf16";
        case Precision::float32:
            break;
    }
    return "float32";
}

std::vector<std::string> precision_names() {
    std::vector<std::string> names;
    for (const Precision precision : all) names.push_back(name_of(precision));
    return names;
}

Precision parse_precision(const std::string& name) {
    for (const Precision precision : all)
        if (name == name_of(precision)) return precision;
    throw Error(fmt::format("precision: '{}' is not one of float32, tf32, bf16", name));
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
