// Tests that ranks that share a batch compute the same as one rank with the whole batch: batch norms over ranks, and
// the state of losses.
#include "radial/core/autograd/autograd.h"
#include "radial/core/distributed/communicator.h"
#include "radial/core/distributed/gradient_reducer.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/dense/growing_image.h"
#include "radial/losses/loss.h"
#include "radial/models/registry.h"
#include "ranks.h"

using namespace radial;
using namespace radial::test;

namespace {

constexpr std::int64_t classes = 5;

struct Learner {
    std::shared_ptr<Layer> model;
    std::unique_ptr<Loss> loss;

    explicit Learner(const std::string& network) {
        manual_seed(11);
        const ModelInfo& info = *find_model(network);
        ModelSettings settings;  // without random layers, which would differ between ranks
        for (const char* name : {"dropout", "drop-connect"})
            if (info.defaults().contains(name)) settings.emplace(name, 0);
        model = make_model(info, info.dim, settings);
        loss = make_loss("softmax", classes, info.dim);
    }
    std::vector<Tensor> parameters() const {
        std::vector<Tensor> all = model->parameters();
        for (const Tensor& parameter : loss->parameters()) all.push_back(parameter);
        return all;
    }
    void to(DType dtype) {
        model->to(dtype);
        loss->to(dtype);
    }
};

struct Samples {
    Tensor images, labels;
    Samples(std::int64_t count, std::int64_t side, std::uint64_t seed = 3) {
        Generator random(seed);
        images = Tensor::empty({count, 3, side, side});
        normal_(images, 0.3, 1, random);
        std::vector<std::int64_t> numbers;
        for (std::int64_t i = 0; i < count; ++i) numbers.push_back(i * 3 % classes);
        labels = Tensor::from(numbers, {count});
    }
    double share() const { return static_cast<double>(own_rows(labels).size(0)) / static_cast<double>(labels.size(0)); }
};

/// The relative differences of all gradients and of all buffers, each as one vector, between one rank with the whole
/// batch and all ranks with a part each.
std::pair<double, double> difference_from_one_rank(const std::string& network, DType dtype, const Samples& samples,
                                                   bool recomputed = false) {
    Learner whole(network), parts(network);
    whole.to(dtype);
    parts.to(dtype);
    parts.model->set_recompute(recomputed);
    const Tensor images = samples.images.to(dtype);
    whole.loss->forward(whole.model->forward(images), samples.labels).backward();
    GradientReducer reducer(ranks(), parts.parameters());
    {
        const OverRanks scope(ranks(), {.batch_norm = true});
        const Tensor feature = parts.model->forward(own_rows(images));
        reducer.backward(parts.loss->forward(feature, own_rows(samples.labels)), samples.share());
    }
    reducer.finish();
    const double gradients =
        std::max(gradient_difference(*parts.model, *whole.model), gradient_difference(*parts.loss, *whole.loss));
    double difference = 0, all = 0;
    const std::vector<NamedTensor> left = parts.model->named_buffers(), right = whole.model->named_buffers();
    REQUIRE(left.size() == right.size());
    for (std::size_t i = 0; i < left.size(); ++i) {
        const std::vector<double> found = left[i].tensor.to(DType::float64).to_vector<double>();
        const std::vector<double> expected = right[i].tensor.to(DType::float64).to_vector<double>();
        REQUIRE(found.size() == expected.size());
        for (std::size_t k = 0; k < found.size(); ++k) {
            difference += (found[k] - expected[k]) * (found[k] - expected[k]);
            all += expected[k] * expected[k];
        }
    }
    const double buffers = std::sqrt(difference / all);
    return {gradients, buffers};
}

}  // namespace

TEST_CASE("synchronised batch norms give one rank's gradients and running statistics", "[ranks][norm]") {
    // Residual and plain blocks, norms over the pixels of one image, growing images, SiLU and squeeze-excitation, and
    // whitening by the images of all ranks.
    const std::string network =
        GENERATE("resnet20", "vgg11-cifar", "densenet-40-12", "efficientnet-b0", "mobilenet-v3-small", "airbench94");
    REQUIRE(find_model(network) != nullptr);
    const std::int64_t count = GENERATE(4, 3);
    const Samples samples(count, 32);
    INFO(network << " on " << count << " images");
    const auto [gradients, buffers] = difference_from_one_rank(network, DType::float64, samples);
    CHECK(gradients < 1e-10);
    CHECK(buffers < 1e-10);
}

TEST_CASE("in float32 synchronised batch norms give one rank's gradients to its rounding", "[ranks][norm]") {
    const auto [gradients, buffers] = difference_from_one_rank("resnet20", DType::float32, Samples(8, 32));
    CHECK(gradients < 1e-5);
    CHECK(buffers < 1e-5);
}

TEST_CASE("recomputed blocks run their synchronised batch norms again", "[ranks][norm]") {
    const auto [gradients, buffers] = difference_from_one_rank("resnet20", DType::float64, Samples(4, 16), true);
    CHECK(gradients < 1e-10);
    CHECK(buffers < 1e-10);
}

TEST_CASE("without synchronising, a batch norm's statistics are its rank's own", "[ranks][norm]") {
    const Tensor x = Tensor::empty({4, 2, 3, 3});
    normal_(x, ranks().rank(), 1);
    const Tensor scale = Tensor::full({2}, 1), shift = Tensor::zeros({2});
    const Tensor alone = batch_norm(x, scale, shift, Tensor::zeros({2}), Tensor::zeros({2}));
    const OverRanks scope(ranks());
    const Tensor mean = Tensor::zeros({2});
    CHECK(differences(batch_norm(x, scale, shift, mean, Tensor::zeros({2})).to_vector<float>(),
                      alone.to_vector<float>()) == "");
}

TEST_CASE("an image that grows in place refuses batch norms over ranks", "[ranks][norm]") {
    const OverRanks scope(ranks(), {.batch_norm = true});
    const Tensor x = Tensor::zeros({2, 3, 4, 4});
    CHECK(!GrowingImage::takes(x, true));
    CHECK(error_of([&] { GrowingImage(x, 8, true); }) ==
          "GrowingImage: its batch norms cannot take statistics over ranks; run its layers one by one");
}

TEST_CASE("the buffers of losses are those of one rank, with the same bits on all ranks", "[ranks][losses]") {
    for (const LossInfo& info : loss_registry()) {
        INFO(info.name);
        manual_seed(2);
        const std::unique_ptr<Loss> whole = make_loss(info.name, classes, 4);
        manual_seed(2);
        const std::unique_ptr<Loss> parts = make_loss(info.name, classes, 4);
        for (std::uint64_t step = 0; step < 3; ++step) {
            Generator random(step);
            const Tensor feature = Tensor::empty({9, 4});
            normal_(feature, 0.5, 1, random);
            const Tensor labels = Samples(9, 1).labels;
            static_cast<void>(whole->forward(feature, labels));
            const OverRanks scope(ranks());
            static_cast<void>(parts->forward(own_rows(feature), own_rows(labels)));
        }
        const std::vector<NamedTensor> left = parts->state(), right = whole->state();
        for (std::size_t i = 0; i < left.size(); ++i) {
            INFO(left[i].name);
            CHECK(relative_difference(left[i].tensor, right[i].tensor) < 1e-5);
            const std::vector<float> own = left[i].tensor.to_vector<float>();
            ranks().broadcast(left[i].tensor);
            CHECK(differences(own, left[i].tensor.to_vector<float>()) == "");
        }
    }
}

TEST_CASE("normalised features have all ranks' statistics, and one rank's loss and gradients", "[ranks][losses]") {
    const LossSettings settings{{"normalise", 1}};
    manual_seed(2);
    const std::unique_ptr<Loss> whole = make_loss("rbf-softmax", classes, 4, settings);
    manual_seed(2);
    const std::unique_ptr<Loss> parts = make_loss("rbf-softmax", classes, 4, settings);
    for (Loss* loss : {whole.get(), parts.get()}) loss->to(DType::float64);
    for (std::uint64_t step = 0; step < 3; ++step) {
        Generator random(step);
        Tensor feature = Tensor::empty({9, 4}, DType::float64);
        normal_(feature, 0.5, 1, random);
        const Samples samples(9, 1);
        Tensor own = own_rows(feature).clone();
        feature.set_requires_grad();
        own.set_requires_grad();
        whole->forward(feature, samples.labels).backward();
        {
            const OverRanks scope(ranks());  // whether or not the networks' batch norms share their statistics
            (parts->forward(own, own_rows(samples.labels)) * samples.share()).backward();
        }
        CHECK(relative_difference(own.grad(), own_rows(feature.grad())) < 1e-10);
    }
    const std::vector<NamedTensor> left = parts->state(), right = whole->state();
    for (std::size_t i = 0; i < left.size(); ++i) {
        INFO(left[i].name);
        CHECK(relative_difference(left[i].tensor, right[i].tensor) < 1e-10);
    }
}
