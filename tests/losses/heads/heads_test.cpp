// Tests of every head with all its options: gradients, comparison with composed ops, kept or recomputed logits,
// messages.
#include "../../core/gradcheck.h"
#include "radial/core/memory/allocator.h"
#include "radial/losses/functional.h"

namespace radial::test {
namespace {

/// The numbers of samples and classes, and the dimension.
struct HeadSize {
    std::int64_t n, c, d;
};
const std::vector<HeadSize> sizes = {{1, 1, 2}, {1, 5, 3}, {5, 7, 2}, {8, 10, 16}, {3, 33, 5}};

using Call = std::function<Tensor(const std::vector<Tensor>&, const Tensor& labels, const HeadOptions& options)>;
/// A head. `more` returns the sizes of the inputs that follow feature [N, D] and class vectors [C, D]; the elements of
/// these inputs are positive.
struct Head {
    std::string name;
    std::function<std::vector<std::int64_t>(const HeadSize&)> more;
    Call call;
};

std::vector<std::int64_t> nothing(const HeadSize&) { return {}; }
std::vector<std::int64_t> one(const HeadSize&) { return {1}; }
std::vector<std::int64_t> each_class(const HeadSize& size) { return {size.c}; }
std::vector<std::int64_t> each_sample(const HeadSize& size) { return {size.n}; }

const std::vector<Head> heads = {
    {"softmax with bias", each_class,
     [](const auto& in, const Tensor& y, const HeadOptions& o) { return softmax_loss(in[0], in[1], in[2], y, o); }},
    {"cross-entropy of given logits", nothing,
     [](const auto& in, const Tensor& y, const HeadOptions& o) { return cross_entropy(linear(in[0], in[1]), y, o); }},
    {"RBF with margin", nothing,
     [](const auto& in, const Tensor& y, const HeadOptions& o) {
         return rbf_softmax_loss(in[0], in[1], y, {.scale = 4, .gamma = 3, .margin = 0.2}, o);
     }},
    {"RBF with learned scale and width",
     [](const HeadSize&) {
         return std::vector<std::int64_t>{1, 1};
     },
     [](const auto& in, const Tensor& y, const HeadOptions& o) {
         return rbf_softmax_loss(
             in[0], in[1], y, {.scale = 2, .gamma = 3, .margin = 0.1, .scale_factor = in[2], .gamma_factor = in[3]}, o);
     }},
    {"RBF with a width for each class", each_class,
     [](const auto& in, const Tensor& y, const HeadOptions& o) {
         return rbf_softmax_loss(in[0], in[1], y, {.scale = 4, .gamma = 2, .gamma_factor = in[2]}, o);
     }},
    {"distances with margin and bias", each_class,
     [](const auto& in, const Tensor& y, const HeadOptions& o) {
         return distance_softmax_loss(in[0], in[1], y, {.gamma = 0.5, .margin = 0.7, .bias = in[2]}, o);
     }},
    {"given distances with margin and bias", each_class,
     [](const auto& in, const Tensor& y, const HeadOptions& o) {
         return distance_cross_entropy(squared_distances(in[0], in[1]), y, {.gamma = 0.5, .margin = 0.7, .bias = in[2]},
                                       o);
     }},
    {"cosines with a margin", nothing,
     [](const auto& in, const Tensor& y, const HeadOptions& o) {
         return cosine_softmax_loss(in[0], in[1], y, {.scale = 8, .cosine = 0.35}, o);
     }},
    {"cosines with an angle and a learned scale", one,
     [](const auto& in, const Tensor& y, const HeadOptions& o) {
         return cosine_softmax_loss(in[0], in[1], y, {.scale = 8, .angle = 0.5, .scale_factor = in[2]}, o);
     }},
    {"cosines with an angle for each sample", each_sample,
     [](const auto& in, const Tensor& y, const HeadOptions& o) {
         return cosine_softmax_loss(in[0], in[1], y, {.scale = 8, .sample_angle = in[2]}, o);
     }},
    {"cosines with a multiplied angle, scaled by the feature's length", nothing,
     [](const auto& in, const Tensor& y, const HeadOptions& o) {
         const Tensor blend = Tensor::full({1}, 5.0, in[0].dtype());
         return cosine_softmax_loss(in[0], in[1], y,
                                    {.scale = 1, .multiple = 4, .scale_factor = row_norms(in[0]), .blend = blend}, o);
     }},
    {"cosines with harder negatives", nothing,
     [](const auto& in, const Tensor& y, const HeadOptions& o) {
         const Tensor hardness = Tensor::full({1}, 0.3, in[0].dtype());
         return cosine_softmax_loss(in[0], in[1], y, {.scale = 4, .angle = 0.3, .hardness = hardness}, o);
     }},
    {"given cosines with an angle and a scale for each sample", each_sample,
     [](const auto& in, const Tensor& y, const HeadOptions& o) {
         return margin_cross_entropy(cosines(in[0], in[1]), y, {.scale = 8, .angle = 0.5, .scale_factor = in[2]}, o);
     }},
};

std::vector<Tensor> inputs_for(const Head& head, const HeadSize& size, RandomInputs& random) {
    std::vector<Tensor> inputs{random.tensor({size.n, size.d}), random.tensor({size.c, size.d})};
    for (const std::int64_t count : head.more(size)) inputs.push_back(random.tensor({count}, 0.3, 1.2));
    return inputs;
}

}  // namespace

TEST_CASE("gradients of every head agree with differences, in all inputs, smoothed, weighted, recomputed") {
    for (const Head& head : heads) {
        RandomInputs random(201);
        for (const HeadSize& size : sizes) {
            const Tensor labels = random.labels(size.n, size.c), weights = random.tensor({size.c}, 0.2, 2);
            const std::vector<Tensor> inputs = inputs_for(head, size, random);
            for (const HeadOptions& options : {HeadOptions{}, HeadOptions{.smoothing = 0.2, .class_weights = weights},
                                               HeadOptions{.smoothing = 0.1, .recompute = true}}) {
                INFO(head.name << ": " << size.n << " features of " << size.d << ", " << size.c
                               << " classes, smoothing " << options.smoothing);
                const TensorFunction f = [&](const auto& in) { return head.call(in, labels, options); };
                CHECK(gradient_problem(f, inputs, {.step = 2e-4, .elements = 12}) == "");
            }
        }
    }
}

TEST_CASE("a head over many blocks of classes gives the value and gradients of its composition, kept or recomputed") {
    RandomInputs random(202);
    const std::int64_t n = 2048, c = 700, d = 4;  // three blocks on the CPU
    const Tensor x = random.tensor({n, d}), w = random.tensor({c, d}), labels = random.labels(n, c);
    const auto run = [&](const std::function<Tensor(const Tensor&, const Tensor&)>& f) {
        Tensor a = x.clone(), b = w.clone();
        a.set_requires_grad();
        b.set_requires_grad();
        const Tensor loss = f(a, b);
        (loss * 3.0).backward();
        return std::vector<Tensor>{loss.detach(), a.grad(), b.grad()};
    };
    const auto composed = run([&](const Tensor& a, const Tensor& b) {
        return cross_entropy(5.0 * radial::exp(squared_distances(a, b) * (-1 / 2.0)), labels);
    });
    for (const bool recompute : {false, true}) {
        const auto fused = run([&](const Tensor& a, const Tensor& b) {
            return rbf_softmax_loss(a, b, labels, {.scale = 5, .gamma = 2}, {.recompute = recompute});
        });
        for (std::size_t i = 0; i < fused.size(); ++i) CHECK(relative_difference(fused[i], composed[i]) < 1e-11);
    }
}

TEST_CASE("a head keeps one number for each sample and class, or none where it recomputes") {
    const std::int64_t n = 64, c = 20000, d = 4;
    const Device device = default_device();
    for (const bool recompute : {false, true}) {
        Tensor x = Tensor::full({n, d}, 0.1), w = Tensor::full({c, d}, 0.1);
        x.set_requires_grad();
        w.set_requires_grad();
        const Tensor labels = Tensor::from(std::vector<std::int64_t>(static_cast<std::size_t>(n), 7), {n});
        release_cached_memory(device);  // otherwise a larger cached block could be used and counted
        const std::size_t before = memory_statistics(device).current;
        const Tensor loss = cosine_softmax_loss(x, w, labels, {.angle = 0.5}, {.recompute = recompute});
        const std::size_t kept = memory_statistics(device).current - before;
        const std::size_t all = static_cast<std::size_t>(n * c) * sizeof(float);
        CHECK(kept >= (recompute ? 0 : all));
        CHECK(kept < (recompute ? all / 8 : all + all / 8));
    }
}

TEST_CASE("class weights and smoothing act on a head as on cross-entropy") {
    RandomInputs random(203);
    const Tensor x = random.tensor({6, 3}), w = random.tensor({4, 3}), labels = random.labels(6, 4);
    const HeadOptions options{.smoothing = 0.3, .class_weights = random.tensor({4}, 0.1, 2)};
    CHECK(softmax_loss(x, w, {}, labels, options).item() ==
          Approx(cross_entropy(linear(x, w), labels, options).item()).epsilon(1e-12));
    const Tensor zero_weights = Tensor::zeros({4}, DType::float64);
    CHECK(softmax_loss(x, w, {}, labels, {.class_weights = zero_weights}).item() == 0);
}

TEST_CASE("heads refuse what does not fit, by name") {
    const Tensor x = Tensor::zeros({4, 3}), w = Tensor::zeros({5, 3}), labels = Tensor::zeros({4}, DType::int64);
    CHECK(error_of([&] { cosine_softmax_loss(x, w, labels, {.scale = 0}); }) ==
          "cosine_softmax_loss: scale is 0, expected above 0");
    CHECK(error_of([&] { cosine_softmax_loss(x, w, labels, {.angle = 4}); }) ==
          "cosine_softmax_loss: angle is 4, expected within [0, pi)");
    CHECK(error_of([&] { cosine_softmax_loss(x, w, labels, {.angle = 0.1, .multiple = 4}); }) ==
          "cosine_softmax_loss: multiple is 4, which allows no angle or cosine beside it");
    CHECK(error_of([&] { softmax_loss(x, w, {}, labels, {.smoothing = 2}); }) ==
          "softmax_loss: smoothing is 2, expected within [0, 1]");
    CHECK(error_of([&] { softmax_loss(x, w, {}, labels, {.class_weights = Tensor::zeros({4})}); }) ==
          "softmax_loss: class_weights is float32[4], expected float32[5]");
    CHECK(error_of([&] { distance_softmax_loss(x, w, labels, {.margin = -1}); }) ==
          "distance_softmax_loss: margin is -1, expected at least 0");
    CHECK(error_of([&] {
              squared_distances(x, Tensor::zeros({5, 2}));
          }) == "squared_distances: rows of [4, 3] and [5, 2] differ in length");
}

}  // namespace radial::test
