// Writes the weights and pictures of a WeightsFolder.
#include "weights_folder.h"

#include "../catch.h"
#include "../folders.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

namespace radial::test {

WeightsFolder::WeightsFolder() {
    manual_seed(21);
    // A batch norm's variances must be above 0; different weights and means give the classes different scores.
    for (const auto& [name, tensor] : model->state())
        if (tensor.rank() == 1) uniform_(tensor.detach(), 0.5, 1.5);
    model->eval();
    uniform_(classifier.weight, -0.1, 0.1);
    uniform_(classifier.bias, -1, 1);
    write_weights(weights, info, *model, classifier, WeightFormat::torchvision);
}

std::string WeightsFolder::picture(const std::string& recorded, const std::string& name) const {
    static const TensorFile file = read_safetensors(test_folder() + "/golden/images.safetensors");
    const auto bytes = file.at("file/" + recorded).values<std::uint8_t>();
    return text(name, {bytes.begin(), bytes.end()});
}

std::string WeightsFolder::text(const std::string& name, const std::string& content) const {
    const std::filesystem::path file = *this / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file.string();
}

Tensor WeightsFolder::logits(const Tensor& images) const {
    const NoGrad no_grad;
    return linear(model->forward(images), classifier.weight, classifier.bias);
}

}  // namespace radial::test
