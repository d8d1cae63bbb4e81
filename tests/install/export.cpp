// Exports a network and its loss as ONNX.
#include <radial/radial.h>

#include <cstdio>
#include <filesystem>

using namespace radial;

int main(int argc, char** argv) {
    const std::filesystem::path out = argc > 1 ? argv[1] : "shapes.onnx";
    manual_seed(1);
    Sequential network;
    network.add<Conv2d>({.in_channels = 1, .out_channels = 8, .kernel = 3, .padding = 1});
    network.add<BatchNorm2d>({.channels = 8}).add<ReLU>().add<GlobalAvgPool>();
    RbfSoftmax loss({.classes = 3, .dim = 8});
    loss.eval();
    export_onnx(out, network, [&](const Tensor& x) { return loss.logits(network(x)); }, {1, 16, 16});
    std::printf("%ju bytes in %s\n", static_cast<std::uintmax_t>(std::filesystem::file_size(out)), out.c_str());
    return std::filesystem::file_size(out) > 500 ? 0 : 1;
}
