// Tests that the gradients of parts of a batch, summed over the ranks, are those of the whole batch.
#include "radial/core/distributed/gradient_reducer.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/optim/optim.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/activation.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"
#include "ranks.h"

using namespace radial;
using namespace radial::test;

namespace {

struct Problem {
    Sequential network;
    Tensor x, labels;

    explicit Problem(std::int64_t samples) {
        manual_seed(5);
        network.add<Linear>(LinearOptions{.in_features = 6, .out_features = 40})
            .add<ReLU>()
            .add<Linear>(LinearOptions{.in_features = 40, .out_features = 30})
            .add<ReLU>()
            .add<Linear>(LinearOptions{.in_features = 30, .out_features = 4});
        x = Tensor::empty({samples, 6});
        normal_(x, 0, 1);
        std::vector<std::int64_t> classes;
        for (std::int64_t i = 0; i < samples; ++i) classes.push_back(i * 7 % 4);
        labels = Tensor::from(classes, {samples});
    }
    Tensor loss(const Tensor& images, const Tensor& classes) {
        return -mean(pick(log_softmax(network(images)), classes));
    }
    double share() const { return static_cast<double>(own_rows(x).size(0)) / static_cast<double>(x.size(0)); }
};

}  // namespace

TEST_CASE("gradients over ranks are the whole batch's, for equal and unequal parts and buckets of any size",
          "[ranks][reducer]") {
    const std::int64_t samples = GENERATE(8, 9);
    const std::size_t bytes = GENERATE(std::size_t{1}, std::size_t{700}, std::size_t{1} << 20);
    Problem whole(samples), parts(samples);
    whole.loss(whole.x, whole.labels).backward();
    GradientReducer reducer(ranks(), parts.network.parameters(), {.bucket_bytes = bytes});
    CHECK(reducer.buckets() == (bytes == 1 ? 6 : bytes == 700 ? 3 : 1));
    for (int step = 0; step < 2; ++step) {
        parts.network.zero_grad();
        reducer.backward(parts.loss(own_rows(parts.x), own_rows(parts.labels)), parts.share());
        reducer.finish();
        CHECK(gradient_difference(parts.network, whole.network) < 1e-6);
    }
}

TEST_CASE("batches may be accumulated before the last is sent", "[ranks][reducer]") {
    Problem whole(8), parts(8);
    (0.5 * whole.loss(whole.x, whole.labels)).backward();
    (0.5 * whole.loss(whole.x, whole.labels)).backward();
    GradientReducer reducer(ranks(), parts.network.parameters());
    const auto half = [&] { return 0.5 * parts.loss(own_rows(parts.x), own_rows(parts.labels)); };
    (parts.share() * half()).backward();
    reducer.backward(half(), parts.share());
    reducer.finish();
    CHECK(gradient_difference(parts.network, whole.network) < 1e-6);
}

TEST_CASE("gradients that are all there are sent together", "[ranks][reducer]") {
    Problem whole(9), parts(9);
    whole.loss(whole.x, whole.labels).backward();
    GradientReducer reducer(ranks(), parts.network.parameters(), {.bucket_bytes = 700});
    for (int step = 0; step < 2; ++step) {
        parts.network.zero_grad();
        (parts.share() * parts.loss(own_rows(parts.x), own_rows(parts.labels))).backward();
        reducer.send();
        reducer.finish();
        CHECK(gradient_difference(parts.network, whole.network) < 1e-6);
    }
}

TEST_CASE("a parameter that the loss does not reach stays without a gradient", "[ranks][reducer]") {
    Tensor used = Tensor::full({3}, 2.0), unused = Tensor::full({5}, 1.0);
    used.set_requires_grad();
    unused.set_requires_grad();
    GradientReducer reducer(ranks(), {used, unused});
    reducer.backward(sum(square(used)), 1.0);
    reducer.finish();
    CHECK(used.grad().to_vector<double>() == std::vector<double>(3, 4.0 * ranks().size()));
    CHECK(!unused.grad().defined());
}

TEST_CASE("steps on several ranks keep the weights the same bits on all of them", "[ranks][reducer]") {
    Problem problem(9);
    Sgd optimizer(problem.network.parameters(), {.lr = 0.1, .momentum = 0.9});
    GradientReducer reducer(ranks(), problem.network.parameters());
    for (int step = 0; step < 5; ++step) {
        optimizer.zero_grad();
        reducer.backward(problem.loss(own_rows(problem.x), own_rows(problem.labels)), problem.share());
        reducer.finish();
        clip_gradient_norm(problem.network.parameters(), 0.5);
        optimizer.step();
    }
    for (const auto& [name, tensor] : problem.network.named_parameters()) {
        INFO(name);
        const std::vector<float> own = tensor.to_vector<float>();
        ranks().broadcast(tensor);
        CHECK(differences(own, tensor.to_vector<float>()) == "");
    }
}

TEST_CASE("buckets go out in turn while backward runs, and their times say so", "[ranks][reducer]") {
    Problem problem(8);
    GradientReducer reducer(ranks(), problem.network.parameters(), {.bucket_bytes = 1});
    reducer.backward(problem.loss(own_rows(problem.x), own_rows(problem.labels)), problem.share());
    reducer.finish();
    const ReductionTimes& times = reducer.times();
    REQUIRE(times.buckets.size() == 6);
    CHECK(times.buckets.front().bytes == 64);  // the last layer's bias: 4 numbers and padding
    double before = 0;
    for (const BucketTimes& bucket : times.buckets) {
        CHECK(bucket.ready >= before);
        CHECK(bucket.ready <= times.backward);
        CHECK(bucket.begin >= bucket.ready);
        CHECK(bucket.end >= bucket.begin);
        CHECK(bucket.end <= times.finish);
        before = bucket.ready;
    }
}

TEST_CASE("a reducer that is used out of turn says so", "[ranks][reducer]") {
    Tensor x = Tensor::full({2}, 1.0);
    x.set_requires_grad();
    CHECK(error_of([&] {
              GradientReducer(ranks(), {x, x});
          }) == "GradientReducer: parameter float32[2] was given twice");
    GradientReducer reducer(ranks(), {x});
    CHECK(error_of([&] { reducer.finish(); }) == "GradientReducer: finish() without backward()");
    reducer.backward(sum(x), 1);
    CHECK(error_of([&] { reducer.backward(sum(x), 1); }) == "GradientReducer: backward() before finish()");
    reducer.finish();
}
