// The list of networks, with one function per family.
#include "radial/models/registry.h"

#include "radial/core/util/options.h"
#include "radial/models/airbench.h"
#include "radial/models/densenet.h"
#include "radial/models/efficientnet.h"
#include "radial/models/lenetpp.h"
#include "radial/models/mobilenet.h"
#include "radial/models/regnet.h"
#include "radial/models/resnet.h"
#include "radial/models/vgg.h"

#include <algorithm>

namespace radial {
namespace {

const Shape cifar_image{3, 32, 32}, imagenet_image{3, 224, 224};
constexpr std::int64_t cifar_classes = 10, imagenet_classes = 1000;

/// Returns a function that builds a network with `options`, overridden by the settings.
template <class Network, class Options>
auto maker(const std::string& name, const Options& options) {
    return [name, options](std::int64_t, const ModelSettings& settings) {
        Options chosen = options;
        read_settings(name, settings, chosen);
        return std::make_unique<Network>(chosen);
    };
}

void add_lenetpp(std::vector<ModelInfo>& all) {
    all.push_back({.name = "lenetpp",
                   .family = "lenetpp",
                   .source = "Wen et al. 2016, Table 1",
                   .image = {1, 28, 28},
                   .classes = 10,
                   .dim = LeNetPlusPlusOptions{}.feature_dim,
                   .any_dim = true,
                   .make = [](std::int64_t dim, const ModelSettings&) {
                       return std::make_unique<LeNetPlusPlus>(LeNetPlusPlusOptions{.feature_dim = dim});
                   }});
}

void add_resnets(std::vector<ModelInfo>& all) {
    for (const std::string& name : resnet_names()) {
        const ResNetOptions options = *resnet_options(name);
        const bool cifar = options.stem == ResNetOptions::Stem::small, wide = options.widths.front() == 64;
        all.push_back({.name = name,
                       .family = "resnet",
                       .source = cifar && !wide ? "He et al. 2016, 4.2"
                                 : cifar        ? "He et al. 2016, Table 1, with a stem for 32x32 images"
                                                : "He et al. 2016, Table 1",
                       .image = cifar ? cifar_image : imagenet_image,
                       .classes = cifar ? cifar_classes : imagenet_classes,
                       .dim = options.feature_dim(),
                       .options = describe_options(options),
                       .make = maker<ResNet>(name, options)});
    }
}

void add_vggs(std::vector<ModelInfo>& all) {
    for (const std::string& name : vgg_names()) {
        const VggOptions options = *vgg_options(name);
        const bool cifar = options.hidden == 0;
        all.push_back({.name = name,
                       .family = "vgg",
                       .source = cifar
                                     ? "Simonyan & Zisserman 2015, Table 1, with batch norm, without the linear layers"
                                 : options.batch_norm ? "Simonyan & Zisserman 2015, Table 1, with batch norm"
                                                      : "Simonyan & Zisserman 2015, Table 1",
                       .image = cifar ? cifar_image : imagenet_image,
                       .classes = cifar ? cifar_classes : imagenet_classes,
                       .dim = options.feature_dim(),
                       .options = describe_options(options),
                       .make = maker<Vgg>(name, options)});
    }
}

void add_densenets(std::vector<ModelInfo>& all) {
    for (const std::string& name : densenet_names()) {
        const DenseNetOptions options = *densenet_options(name);
        const bool cifar = options.stem == DenseNetOptions::Stem::small;
        all.push_back({.name = name,
                       .family = "densenet",
                       .source = cifar ? "Huang et al. 2017, Table 2" : "Huang et al. 2017, Table 1",
                       .image = cifar ? cifar_image : imagenet_image,
                       .classes = cifar ? cifar_classes : imagenet_classes,
                       .dim = options.feature_dim(),
                       .options = describe_options(options),
                       .make = maker<DenseNet>(name, options)});
    }
}

void add_efficientnets(std::vector<ModelInfo>& all) {
    for (const std::string& name : efficientnet_names()) {
        const EfficientNetOptions options = *efficientnet_options(name);
        const std::int64_t side = efficientnet_image(name);
        const bool tensorflow = options.same_padding;
        all.push_back({.name = name,
                       .family = tensorflow ? "tf-efficientnet" : "efficientnet",
                       .source = tensorflow ? "Tan & Le 2019, Table 1 and 2, padded as by TensorFlow"
                                            : "Tan & Le 2019, Table 1 and 2",
                       .image = {3, side, side},
                       .classes = imagenet_classes,
                       .dim = options.feature_dim(),
                       .options = describe_options(options),
                       .make = maker<EfficientNet>(name, options)});
    }
}

void add_regnets(std::vector<ModelInfo>& all) {
    for (const std::string& name : regnet_names()) {
        const RegNetOptions options = *regnet_options(name);
        all.push_back({.name = name,
                       .family = "regnet",
                       .source = "Radosavovic et al. 2020, 5, as in torchvision",
                       .image = imagenet_image,
                       .classes = imagenet_classes,
                       .dim = options.feature_dim(),
                       .options = describe_options(options),
                       .make = maker<RegNet>(name, options)});
    }
}

void add_mobilenets(std::vector<ModelInfo>& all) {
    for (const std::string& name : mobilenet_names()) {
        const MobileNetV3Options options = *mobilenet_options(name);
        all.push_back({.name = name,
                       .family = "mobilenetv3",
                       .source = "Howard et al. 2019, Tables 1 and 2",
                       .image = imagenet_image,
                       .classes = imagenet_classes,
                       .dim = options.feature_dim(),
                       .options = describe_options(options),
                       .make = maker<MobileNetV3>(name, options)});
    }
}

void add_airbench(std::vector<ModelInfo>& all) {
    for (const std::string& name : airbench_names()) {
        const AirbenchOptions options = *airbench_options(name);
        all.push_back({.name = name,
                       .family = "airbench",
                       .source = "Jordan 2024, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, 3.1",
                       .image = cifar_image,
                       .classes = cifar_classes,
                       .dim = options.feature_dim(),
                       .options = describe_options(options),
                       .make = maker<Airbench>(name, options)});
    }
}

/// The option that every network has.
OptionInfo recompute_option() {
    return {.name = "recompute",
            .value = false,
            .text = "keep only the inputs of blocks for backward, to save memory",
            .former = "checkpoint"};
}

bool has_option(const ModelInfo& info, std::string_view name) {
    return std::any_of(info.options.begin(), info.options.end(), [&](const auto& each) { return each.name == name; });
}

Registry<ModelInfo> built_in() {
    std::vector<ModelInfo> all;
    add_lenetpp(all);
    add_resnets(all);
    add_vggs(all);
    add_densenets(all);
    add_efficientnets(all);
    add_regnets(all);
    add_mobilenets(all);
    add_airbench(all);
    for (ModelInfo& info : all) info.options.push_back(recompute_option());
    return {"model", "models", std::move(all)};
}

Registry<ModelInfo>& models() {
    static Registry<ModelInfo> registry = built_in();
    return registry;
}

}  // namespace

const Registry<ModelInfo>& model_registry() { return models(); }

void register_model(ModelInfo info) {
    RADIAL_CHECK(info.make != nullptr, "the model \"{}\" has no function that makes it", info.name);
    RADIAL_CHECK(info.image.rank() == 0 || (info.image.rank() == 3 && info.image.numel() > 0),
                 "the model \"{}\" takes images {}, expected [C, H, W]", info.name, info.image.str());
    RADIAL_CHECK(info.dim > 0, "the model \"{}\" has a feature of length {}, expected above 0", info.name, info.dim);
    if (!has_option(info, recompute_option().name)) info.options.push_back(recompute_option());
    models().add(std::move(info));
}
void unregister_model(std::string_view name) { models().remove(name); }

const ModelInfo* find_model(std::string_view name) { return models().find(name); }

ModelSettings model_settings(const ModelInfo& info, const ModelSettings& settings) {
    return complete_settings(info.name, info.options, settings);
}

std::unique_ptr<Layer> make_model(const ModelInfo& info, std::int64_t dim, const ModelSettings& settings) {
    RADIAL_CHECK(info.any_dim || dim == info.dim, "{}: its feature has {} dimensions, not {}", info.name, info.dim,
                 dim);
    const ModelSettings complete = model_settings(info, settings);
    std::unique_ptr<Layer> model = info.make(dim, complete);
    model->set_recompute(complete.at("recompute").flag());
    return model;
}

}  // namespace radial
