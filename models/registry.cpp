// The list of networks.
#include "radial/models/registry.h"

#include "radial/models/lenetpp.h"
#include "radial/models/resnet.h"

namespace radial {
namespace {

ModelInfo lenetpp() {
    return {.name = "lenetpp",
            .image = {1, 28, 28},
            .classes = 10,
            .dim = LeNetPlusPlusOptions{}.feature_dim,
            .any_dim = true,
            .make = [](std::int64_t dim) {
                return std::make_unique<LeNetPlusPlus>(LeNetPlusPlusOptions{.feature_dim = dim});
            }};
}

ModelInfo resnet(const std::string& name) {
    const ResNetOptions options = *resnet_options(name);
    const bool small = options.stem == ResNetOptions::Stem::small;
    return {.name = name,
            .image = small ? Shape{3, 32, 32} : Shape{3, 224, 224},
            .classes = small ? 10 : 1000,
            .dim = options.feature_dim(),
            .any_dim = false,
            .make = [options](std::int64_t) { return std::make_unique<ResNet>(options); }};
}

}  // namespace

const std::vector<ModelInfo>& model_registry() {
    static const std::vector<ModelInfo> models = [] {
        std::vector<ModelInfo> all{lenetpp()};
        for (const std::string& name : resnet_names()) all.push_back(resnet(name));
        return all;
    }();
    return models;
}

const ModelInfo* find_model(std::string_view name) {
    for (const ModelInfo& info : model_registry())
        if (info.name == name) return &info;
    return nullptr;
}

std::unique_ptr<Layer> make_model(const ModelInfo& info, std::int64_t dim) {
    RADIAL_CHECK(info.any_dim || dim == info.dim, "{}: its feature has {} dimensions, not {}", info.name, info.dim,
                 dim);
    return info.make(dim);
}

}  // namespace radial
