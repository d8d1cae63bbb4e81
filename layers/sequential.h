// A chain of layers.
#pragma once

#include "radial/core/nn/module.h"

#include <memory>
#include <vector>

namespace radial {

/// Applies layers one after another. The layers are named by their indices: "0", "1", ...
class Sequential : public Layer {
public:
    Sequential() = default;
    /// A chain of `layers`.
    explicit Sequential(const std::vector<std::shared_ptr<Layer>>& layers);
    /// Appends a layer and returns *this. Throws Error when it is null.
    Sequential& add(std::shared_ptr<Layer> layer);
    /// Constructs a layer L from `args` and appends it.
    template <class L, class... Args>
    Sequential& add(Args&&... args) {
        return add(std::make_shared<L>(std::forward<Args>(args)...));
    }
    /// Constructs a layer L from its options and appends it: net.add<Linear>({.in_features = 64, .out_features = 10}).
    template <class L>
    Sequential& add(const typename L::Options& options) {
        return add(std::make_shared<L>(options));
    }
    Tensor forward(Tensor x) override;
    /// The layers in order.
    const std::vector<std::shared_ptr<Layer>>& layers() const { return layers_; }

private:
    std::vector<std::shared_ptr<Layer>> layers_;
};

}  // namespace radial
