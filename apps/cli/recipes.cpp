// The table of recipes.
#include "radial/apps/cli/recipes.h"

#include <algorithm>
#include <utility>

namespace radial::train {
namespace {

using Values = std::vector<RecipeValue>;

const std::string he = "He et al. 2016, 4.2", ours = "Radial";

/// Settings that keep the kernel of the paper's RBF-Softmax from vanishing, both at the start of a run and later; see
/// docs/training-rbf-softmax.md.
const RecipeValue clipped{"clip-norm", "1", ours};
const RecipeValue from_shortcuts{"model.zero-init-residual", "1", ours};

Values operator+(Values a, const Values& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// The losses of Table 4 and Fig. 1, each with its source's defaults.
std::vector<RecipeLoss> losses_of_table_4() {
    return {{"rbf-softmax", {{"gamma", 1}, {"scale", 2}}, "Sec. 4.2"},
            {"softmax", {}, ""},
            {"rbf-network", {{"units_per_class", 10}}, ours},
            {"center", {{"alpha", 0.5}, {"lambda", 0.003}}, "Wen et al. 2016"},
            {"ring", {{"lambda", 0.01}}, "Zheng et al. 2018"},
            {"arcface", {{"margin", 0.5}, {"scale", 64}}, "Deng et al. 2018"},
            {"lgm", {{"alpha", 1}, {"lambda", 0.1}}, "Wan et al. 2018"}};
}

Recipe on_mnist(std::string name, std::string title, const std::string& place, const std::string& dim,
                std::vector<RecipeLoss> losses) {
    return {.name = std::move(name),
            .program = "radial-mnist",
            .title = std::move(title),
            .values = {{"model", "lenetpp", "Sec. 4.2; Wen et al. 2016"},
                       {"dim", dim, place},
                       {"epochs", "20", ours},
                       {"batch", "128", ours},
                       {"lr", "0.05", ours},
                       {"momentum", "0.9", ours},
                       {"weight-decay", "0", ours},
                       {"schedule", "cosine", ours},
                       clipped},
            .losses = std::move(losses)};
}

/// RBF-Softmax with normalised features, for networks with which the kernel of the paper's own loss vanishes at the
/// first step.
RecipeLoss normalised(double gamma, double scale, const std::string& place) {
    return {"rbf-softmax", {{"gamma", gamma}, {"normalise", true}, {"scale", scale}}, place + "; normalise: " + ours};
}

/// The losses of Table 5. `rbf` is RBF-Softmax with the settings of the best accuracy.
std::vector<RecipeLoss> losses_of_table_5(RecipeLoss rbf) {
    return {std::move(rbf),
            {"softmax", {}, ""},
            {"g-cpl", {{"gamma", 1}, {"lambda", 0.01}}, "Yang et al. 2018"},
            {"center", {{"alpha", 0.5}, {"lambda", 0.003}}, "Wen et al. 2016"}};
}

const Values crop_and_flip = {{"crop-padding", "4", "Sec. 4.3"}, {"flip", "0.5", "Sec. 4.3"}};

Recipe tab5_resnet20() {
    return {.name = "tab5-resnet20",
            .program = "radial-cifar10",
            .title = "ResNet-20 on CIFAR-10, Table 5",
            .values = Values{{"model", "resnet20", "Sec. 4.3"},
                             {"dim", "0", he},
                             {"epochs", "300", "Sec. 4.3"},
                             {"batch", "256", "Sec. 4.3"},
                             {"lr", "0.1", "Sec. 4.3"},
                             {"schedule", "step", "Sec. 4.3"},
                             {"milestones", "60,120,180,240", "Sec. 4.3"},
                             {"lr-factor", "0.5", "Sec. 4.3"},
                             {"warmup-epochs", "0", "Sec. 4.3"},
                             {"momentum", "0.9", he},
                             {"weight-decay", "0.0001", he}} +
                      crop_and_flip + Values{clipped, from_shortcuts},
            .losses = losses_of_table_5({"rbf-softmax", {{"gamma", 1.6}, {"scale", 4}}, "Table 5, the best row"})};
}

Recipe tab5_densenet() {
    const std::string huang = "Huang et al. 2017, 4.2";
    return {.name = "tab5-densenet",
            .program = "radial-cifar10",
            .title = "DenseNet-BC (depth 100, k 12) on CIFAR-10, Table 5",
            .values = Values{{"model", "densenet-bc-100-12", "Sec. 4.3"},
                             {"dim", "0", huang},
                             {"epochs", "300", "Sec. 4.3"},
                             {"batch", "128", "Sec. 4.3"},
                             {"lr", "0.1", "Sec. 4.3"},
                             {"schedule", "step", "Sec. 4.3"},
                             {"milestones", "150,225", "Sec. 4.3"},
                             {"lr-factor", "0.1", "Sec. 4.3"},
                             {"warmup-epochs", "0", "Sec. 4.3"},
                             {"momentum", "0.9", huang},
                             {"nesterov", "true", huang},
                             {"weight-decay", "0.0001", huang}} +
                      crop_and_flip + Values{clipped},
            .losses = losses_of_table_5(normalised(1.8, 4, "Table 5, the best row"))};
}

Recipe tab6_vgg19() {
    return {.name = "tab6-vgg19",
            .program = "radial-cifar100",
            .title = "VGG-19 on CIFAR-100, Table 6",
            .values = Values{{"model", "vgg19-cifar", "Sec. 4.3"},
                             {"dim", "0", ours},
                             {"epochs", "600", "Sec. 4.3"},
                             {"batch", "128", "Sec. 4.3"},
                             {"lr", "0.1", "Sec. 4.3"},
                             {"schedule", "step", "Sec. 4.3"},
                             {"milestones", "100,200,300,400,500", "Sec. 4.3; the drop at 600 is the end"},
                             {"lr-factor", "0.5,0.2,0.5,0.2,0.5", "Sec. 4.3"},
                             {"warmup-epochs", "0", "Sec. 4.3"},
                             {"momentum", "0.9", "Simonyan and Zisserman 2015, 3.1"},
                             {"weight-decay", "0.0005", "Simonyan and Zisserman 2015, 3.1"}} +
                      crop_and_flip + Values{clipped},
            .losses = {normalised(2.2, 14, "Table 6, the best row"),
                       {"softmax", {}, ""},
                       {"center", {{"alpha", 0.5}, {"lambda", 0.003}}, "Wen et al. 2016"},
                       {"g-cpl", {{"gamma", 1}, {"lambda", 0.01}}, "Yang et al. 2018"}}};
}

/// The paper specifies only the network and the losses.
Recipe tab2_resnet50() {
    return {.name = "tab2-resnet50",
            .program = "radial-cifar100",
            .title = "ResNet-50 on CIFAR-100, for the prototypes of Table 2 and Fig. 4",
            .values = Values{{"model", "resnet50-cifar", "Sec. 4.1"},
                             {"dim", "0", he},
                             {"epochs", "200", ours},
                             {"batch", "128", ours},
                             {"lr", "0.1", ours},
                             {"schedule", "cosine", ours},
                             {"warmup-epochs", "1", ours},
                             {"momentum", "0.9", he},
                             {"weight-decay", "0.0005", ours}} +
                      crop_and_flip + Values{clipped},
            .losses = {normalised(2.2, 14, "Table 6, the best row"),
                       {"softmax", {}, ""},
                       {"cos-softmax", {{"epsilon", 0.0001}, {"scale", 0}}, "Liu et al. 2017"}}};
}

Recipe on_imagenet(std::string name, std::string title, const std::string& model, const std::string& batch,
                   const Values& further, RecipeLoss rbf) {
    return {.name = std::move(name),
            .program = "radial-imagenet",
            .title = std::move(title),
            .values = Values{{"model", model, "Sec. 4.4"},
                             {"dim", "0", "Sec. 4.4"},
                             {"epochs", "100", "Sec. 4.4"},
                             {"batch", batch, "Sec. 4.4"},
                             {"schedule", "cosine", "Sec. 4.4"},
                             {"warmup-epochs", "5", "Sec. 4.4"},
                             {"momentum", "0.9", "Sec. 4.4"},
                             {"random-area", "0.08", "the authors' code"},
                             {"flip", "0.5", "the authors' code"}} +
                      further + Values{{"clip-norm", "5", ours}},
            .losses = {std::move(rbf), {"softmax", {}, ""}}};
}

Recipe tab7_resnet50() {
    return on_imagenet("tab7-resnet50", "ResNet-50 on ImageNet, Table 7", "resnet50", "256",
                       {{"lr", "0.1", "Sec. 4.4"}, {"weight-decay", "0.00005", "the authors' code"}},
                       normalised(4, 8, "Table 7"));
}

Recipe tab7_efficientnet(const std::string& variant, const std::string& batch) {
    return on_imagenet("tab7-efficientnet-" + variant, "EfficientNet-B" + variant.substr(1) + " on ImageNet, Table 7",
                       "efficientnet-" + variant, batch,
                       {{"lr", "0.2", "Sec. 4.4"},
                        {"weight-decay", "0.00001", "the authors' code"},
                        {"model.dropout", "0", "Sec. 4.4"},
                        {"model.drop-connect", "0", "Sec. 4.4"}},
                       {"rbf-softmax", {{"gamma", 16}, {"scale", 35}}, "Table 7"});
}

/// airbench94 of Jordan 2024, with its hyper-parameters converted to the mean of a batch's losses: the author's
/// learning rate of 11.5 and weight decay of 0.0153 are for 1024 images, and exclude the factor by which Nesterov
/// momentum lengthens a step, 1 + 1 / (1 - 0.85).
Recipe fast94() {
    const std::string source = "Jordan 2024, 3", code = "the author's code of airbench94";
    return {.name = "fast94",
            .program = "radial-cifar10",
            .title = "CIFAR-10 to 94% in ten epochs",
            .values = {{"model", "airbench94", source},
                       {"dim", "0", source},
                       {"epochs", "10", "Radial; 9.9 in the author's code"},
                       {"batch", "1024", code},
                       {"drop-last", "true", code},
                       {"lr", "1.5", code},
                       {"bias-lr-scale", "64", code},
                       {"momentum", "0.85", code},
                       {"nesterov", "true", code},
                       {"weight-decay", "0.00133", code},
                       {"lookahead", "5", code},
                       {"schedule", "linear", code},
                       {"warmup-epochs", "2.3", code},
                       {"warmup-start", "0.2", code},
                       {"final-lr", "0.07", code},
                       {"clip-norm", "0", code},
                       {"crop-padding", "2", code},
                       {"crop-border", "reflect", code},
                       {"alternating-flip", "true", source}},
            .losses = {{"softmax", {{"bias", false}, {"smoothing", 0.2}}, code}, normalised(1.6, 4, "Table 5")}};
}

std::vector<Recipe> all_recipes() {
    const std::vector<RecipeLoss> rbf = {{"rbf-softmax", {{"gamma", 1}, {"scale", 2}}, "Sec. 4.2"}};
    Recipe tab1 = on_mnist("tab1", "LeNets++ on MNIST with softmax, for the early features of Table 1", "Table 1", "32",
                           {{"softmax", {}, ""}});
    // Table 1 examines only early training: 200 steps, at a constant learning rate.
    tab1.values.push_back({"limit", "25600", ours});
    for (RecipeValue& value : tab1.values) {
        if (value.option == "epochs") value.value = "1";
        if (value.option == "schedule") value.value = "constant";
    }
    return {
        on_mnist("fig1", "Two-dimensional LeNets++ on MNIST, Fig. 1", "Fig. 1", "2", losses_of_table_4()),
        std::move(tab1),
        tab2_resnet50(),
        on_mnist("tab3", "LeNets++ on MNIST with RBF-Softmax of several s and gamma, Table 3", "Table 3", "32", rbf),
        on_mnist("tab4", "LeNets++ on MNIST with seven losses, Table 4", "Table 4", "32", losses_of_table_4()),
        on_mnist("fig5", "Two-dimensional LeNets++ on MNIST with RBF-Softmax of several s, Fig. 5", "Fig. 5", "2", rbf),
        tab5_resnet20(),
        tab5_densenet(),
        tab6_vgg19(),
        tab7_resnet50(),
        tab7_efficientnet("b0", "256"),
        tab7_efficientnet("b1", "256"),
        tab7_efficientnet("b4", "96"),
        fast94()};
}

}  // namespace

const std::vector<Recipe>& recipes() {
    static const std::vector<Recipe> all = all_recipes();
    return all;
}

const Recipe* find_recipe(const std::string& name) {
    const auto found =
        std::find_if(recipes().begin(), recipes().end(), [&](const Recipe& r) { return r.name == name; });
    return found == recipes().end() ? nullptr : &*found;
}

std::string value_of(const Recipe& recipe, const std::string& option) {
    const auto found = std::find_if(recipe.values.begin(), recipe.values.end(),
                                    [&](const RecipeValue& value) { return value.option == option; });
    return found == recipe.values.end() ? "" : found->value;
}

}  // namespace radial::train
