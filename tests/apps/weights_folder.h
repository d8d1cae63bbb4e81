// A folder with a small classifier's weights and pictures, as users of radial-predict and radial-models have them.
#pragma once

#include "program.h"
#include "radial/core/io/safetensors.h"
#include "radial/models/weight_file.h"

#include <fstream>
#include <memory>

namespace radial::test {

/// resnet20 with random weights in torchvision's names, seven classes.
struct WeightsFolder : TemporaryFolder {
    const ModelInfo& info = *find_model("resnet20");
    std::unique_ptr<Layer> model = make_model(info, info.dim);
    LinearClassifier classifier{Tensor::empty({7, info.dim}), Tensor::empty({7})};
    std::string weights = (*this / "weights.safetensors").string();

    WeightsFolder();
    /// Writes a recorded picture ("rgb.png") under another name and returns its path.
    std::string picture(const std::string& recorded, const std::string& name) const;
    std::string text(const std::string& name, const std::string& content) const;
    /// Logits of images [N, C, H, W].
    Tensor logits(const Tensor& images) const;
};

}  // namespace radial::test
