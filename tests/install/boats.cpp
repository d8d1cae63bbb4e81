// A complete program: distinguishes boats from buoys with its own network, loss and data set.
#include <radial/program.h>

using namespace radial;

struct Boats : data::Dataset {  // images of 8 by 8 pixels: boats are wide, buoys are high
    explicit Boats(bool train) : seed(train ? 1 : 2) { class_names = {"boat", "buoy"}; }
    std::int64_t size() const override { return 200; }
    data::Sample get(std::int64_t index) const override {
        Generator random(seed + 2 * static_cast<std::uint64_t>(index));
        const std::int64_t label = index % 2, width = label == 0 ? 5 : 2, height = 7 - width;
        const std::size_t left = random.below(4), top = random.below(4);
        std::vector<std::uint8_t> pixels(64, 30);
        for (std::size_t y = top; y < top + height && y < 8; ++y)
            for (std::size_t x = left; x < left + width && x < 8; ++x) pixels[8 * y + x] = 200;
        return {Tensor::from(pixels, {1, 8, 8}), Tensor::from(std::vector{label}, {})};
    }
    std::uint64_t seed;
};

struct Hinge : Loss {  // max_j(s_j + [j != y]) - s_y of linear scores s (Crammer and Singer 2001)
    Hinge(std::int64_t classes, std::int64_t dim)
        : linear(register_module("linear", std::make_shared<Linear>(LinearOptions{dim, classes}))) {}
    Tensor logits(const Tensor& feature) override { return linear->forward(feature); }
    Tensor forward(const Tensor& feature, const Tensor& labels) override {
        const Tensor s = logits(feature), ones = Tensor::full({s.size(0)}, 1, s.dtype(), s.device());
        return mean(max(s + 1.0 - place(ones, labels, s.size(1)), 1) - pick(s, labels));
    }
    std::shared_ptr<Linear> linear;
};

std::unique_ptr<Layer> network(std::int64_t dim) {
    auto layers = std::make_unique<Sequential>();
    layers->add<Conv2d>({.in_channels = 1, .out_channels = 8, .kernel = 3, .padding = 1}).add<ReLU>().add<Flatten>();
    layers->add<Linear>({.in_features = 8 * 64, .out_features = dim});
    return layers;
}

int main(int argc, char** argv) {
    const auto make = [](auto classes, auto dim, const auto&) { return std::make_unique<Hinge>(classes, dim); };
    register_loss({"hinge", "max_j(s_j + [j != y]) - s_y", "Crammer and Singer 2001", {}, make});
    train::Program boats("boats");
    boats.data_without_folder([](const auto&, bool train) { return std::make_shared<Boats>(train); });
    return boats.network("conv-net", network, 16).loss("hinge").run(argc, argv);
}
