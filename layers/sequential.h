// A chain of layers.
#pragma once

#include "radial/core/nn/module.h"

#include <memory>
#include <vector>

namespace radial {

/// Applies its layers in turn. Their names are their indices: "0", "1", ...
class Sequential : public Layer {
public:
    Sequential() = default;
    explicit Sequential(const std::vector<std::shared_ptr<Layer>>& layers);
    /// Appends a layer; returns this for chaining.
    Sequential& add(std::shared_ptr<Layer> layer);
    /// Constructs and appends an L.
    template <class L, class... Args>
    Sequential& add(Args&&... args) {
        return add(std::make_shared<L>(std::forward<Args>(args)...));
    }
    /// The same for a layer with options, as in net.add<Linear>({.in_features = 64, .out_features = 10}).
    template <class L>
    Sequential& add(const typename L::Options& options) {
        return add(std::make_shared<L>(options));
    }
    Tensor forward(Tensor x) override;
    const std::vector<std::shared_ptr<Layer>>& layers() const { return layers_; }

private:
    std::vector<std::shared_ptr<Layer>> layers_;
};

}  // namespace radial
