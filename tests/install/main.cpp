// Trains a small network to distinguish three spiral arms with RBF-Softmax.
#include <radial/radial.h>

#include <cmath>
#include <cstdio>
#include <vector>

using namespace radial;

int main() {
    manual_seed(1);
    std::vector<float> points;       // 300 points in the plane
    std::vector<std::int64_t> arms;  // the spiral arm of each point
    for (int i = 0; i < 300; ++i) {
        const float radius = static_cast<float>(i) / 300, angle = 5 * radius + 2.0944F * static_cast<float>(i % 3);
        points.insert(points.end(), {radius * std::cos(angle), radius * std::sin(angle)});
        arms.push_back(i % 3);
    }
    const Tensor x = Tensor::from(points, {300, 2}), labels = Tensor::from(arms, {300});

    Sequential network;
    network.add<Linear>({.in_features = 2, .out_features = 64})
        .add<ReLU>()
        .add<Linear>({.in_features = 64, .out_features = 2});
    RbfSoftmax loss({.classes = 3, .dim = 2, .scale = 4});

    std::vector<Tensor> parameters = network.parameters();
    for (const Tensor& parameter : loss.parameters()) parameters.push_back(parameter);
    Adam optimizer(parameters, {.lr = 0.02});

    for (int step = 1; step <= 500; ++step) {
        optimizer.zero_grad();
        const Tensor value = loss.forward(network(x), labels);
        value.backward();
        clip_gradient_norm(parameters, 1.0);
        optimizer.step();
        if (step % 100 == 0) std::printf("step %d: loss %.4f\n", step, value.item());
    }

    const NoGrad no_grad;
    const std::vector<std::int64_t> predicted = argmax(loss.logits(network(x))).to_vector<std::int64_t>();
    int correct = 0;
    for (std::size_t i = 0; i < arms.size(); ++i) correct += predicted[i] == arms[i] ? 1 : 0;
    std::printf("%d of 300 points on the right arm\n", correct);
    return correct > 285 ? 0 : 1;
}
