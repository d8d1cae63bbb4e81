// A folder with a small classifier's weights and pictures, for tests of radial-predict and radial-models.
#pragma once

#include "program.h"
#include "radial/core/io/safetensors.h"
#include "radial/models/weight_file.h"

#include <fstream>
#include <memory>

namespace radial::test {

/// Contains resnet20 with seven classes and random weights, under torchvision's names.
struct WeightsFolder : TemporaryFolder {
    const ModelInfo& info = *find_model("resnet20");
    std::unique_ptr<Layer> model = make_model(info, info.dim);
    LinearClassifier classifier{Tensor::empty({7, info.dim}), Tensor::empty({7})};
    std::string weights = (*this / "weights.safetensors").string();

    WeightsFolder();
    /// Writes a recorded picture (such as "rgb.png") under another name and returns its path.
    std::string picture(const std::string& recorded, const std::string& name) const;
    std::string text(const std::string& name, const std::string& content) const;
    /// The logits [N, classes] of images [N, C, H, W].
    Tensor logits(const Tensor& images) const;
};

}  // namespace radial::test
