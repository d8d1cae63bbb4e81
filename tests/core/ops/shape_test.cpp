// Tests of reshaping, slicing, joining, gathering and sums by class: gradients, values, messages.
#include "../bfloat16_check.h"
#include "../gradcheck.h"
#include "radial/core/memory/transfer.h"
#include "radial/core/ops.h"

namespace radial::test {
namespace {

/// Half number `half` (0 or 1) of each of the two blocks of 2 * width values.
std::vector<float> halves(const std::vector<float>& values, std::int64_t width, std::int64_t half) {
    std::vector<float> result;
    for (std::int64_t block = 0; block < 2; ++block) {
        const auto begin = values.begin() + (2 * block + half) * width;
        result.insert(result.end(), begin, begin + width);
    }
    return result;
}

}  // namespace

TEST_CASE("gradients of reshape, flatten and transpose agree with differences") {
    RandomInputs random(41);
    const std::vector<Tensor> images{random.tensor({2, 3, 5, 3})}, matrix{random.tensor({3, 5})};
    CHECK(gradient_problem([](const auto& in) { return reshape(in[0], {6, 15}); }, images) == "");
    CHECK(gradient_problem([](const auto& in) { return reshape(in[0], {3, 2, 5, 3}); }, images) == "");
    CHECK(gradient_problem([](const auto& in) { return flatten(in[0]); }, images) == "");
    CHECK(gradient_problem([](const auto& in) { return flatten(in[0]); }, {random.tensor({1, 5, 1, 3})}) == "");
    CHECK(gradient_problem([](const auto& in) { return reshape(in[0], {15, 1, 1, 1}); }, matrix) == "");
    CHECK(gradient_problem([](const auto& in) { return transpose(in[0]); }, matrix) == "");
    CHECK(gradient_problem([](const auto& in) { return transpose(transpose(in[0])) * in[0]; }, matrix) == "");
}

TEST_CASE("gradients of slice agree with differences along any dimension") {
    RandomInputs random(42);
    for (const Shape& shape : {Shape{7}, Shape{5, 3}, Shape{3, 5, 4, 3}, Shape{2, 16, 3, 1}}) {
        for (int dim = 0; dim < shape.rank(); ++dim) {
            const std::int64_t extent = shape[dim];
            for (const auto& [begin, end] : {std::pair<std::int64_t, std::int64_t>{0, extent},
                                             {0, 1},
                                             {extent - 1, extent},
                                             {extent / 3, extent}}) {
                INFO("[" << begin << ", " << end << ") along " << dim << " of " << shape.str());
                const TensorFunction f = [dim, b = begin, e = end](const auto& in) { return slice(in[0], dim, b, e); };
                CHECK(gradient_problem(f, {random.tensor(shape)}) == "");
            }
        }
    }
}

TEST_CASE("gradients of concat agree with differences along any dimension") {
    RandomInputs random(43);
    for (int dim = 0; dim < 4; ++dim) {
        std::vector<Tensor> parts;
        for (const std::int64_t extent : {1, 3, 2}) {
            Shape shape{2, 3, 5, 3};
            shape[dim] = extent;
            parts.push_back(random.tensor(shape));
        }
        INFO("along " << dim);
        CHECK(gradient_problem([dim](const auto& in) { return concat(in, dim); }, parts) == "");
        CHECK(gradient_problem([dim](const auto& in) { return concat(in, dim - 4); }, parts) == "");
    }
    const std::vector<Tensor> one{random.tensor({3, 5})};
    CHECK(gradient_problem([](const auto& in) { return concat({in[0], in[0], in[0]}, 1); }, one) == "");
}

TEST_CASE("gradients of gather_rows and pick agree with differences, repeated rows included") {
    RandomInputs random(44);
    const Tensor index = Tensor::from<std::int64_t>({4, 0, 2, 0, 0, 1, 4}, {7});
    const TensorFunction rows = [&](const auto& in) { return gather_rows(in[0], index); };
    CHECK(gradient_problem(rows, {random.tensor({5, 3})}) == "");
    CHECK(gradient_problem(rows, {random.tensor({5})}) == "");
    CHECK(gradient_problem(rows, {random.tensor({5, 3, 2, 3})}) == "");
    CHECK(gradient_problem([&](const auto& in) { return pick(in[0], index); }, {random.tensor({7, 5})}) == "");
}

TEST_CASE("shape ops give the values of their definitions") {
    const Tensor x = Tensor::from<float>({0, 1, 2, 3, 4, 5}, {2, 3});
    using Values = std::vector<double>;
    CHECK(differences(reshape(x, {3, 2}).to_vector<double>(), x.to_vector<double>()) == "");
    CHECK(transpose(x).to_vector<double>() == Values{0, 3, 1, 4, 2, 5});
    CHECK(slice(x, 1, 1, 3).to_vector<double>() == Values{1, 2, 4, 5});
    CHECK(slice(x, 0, 1, 2).to_vector<double>() == Values{3, 4, 5});
    CHECK(concat({x, x}, 1).to_vector<double>() == Values{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
    CHECK(gather_rows(x, Tensor::from<std::int64_t>({1, 1, 0}, {3})).to_vector<double>() ==
          Values{3, 4, 5, 3, 4, 5, 0, 1, 2});
    CHECK(pick(x, Tensor::from<std::int64_t>({2, 0}, {2})).to_vector<double>() == Values{2, 3});
}

TEST_CASE("reshape and flatten of a row-major tensor are views") {
    const Tensor x = Tensor::zeros({2, 3, 4, 5});
    CHECK(reshape(x, {2, 6, 10}).shape() == Shape{2, 6, 10});
    CHECK(reshape(x, {2, 6, 10}).raw() == x.raw());
    CHECK(flatten(x).shape() == Shape{2, 60});
    CHECK(flatten(x).raw() == x.raw());
}

TEST_CASE("reshape of a channels_last tensor keeps the logical order") {
    RandomInputs random(45);
    const Tensor x = random.tensor({2, 3, 4, 5});
    CHECK(differences(flatten(x.to(Layout::channels_last)).to_vector<double>(), x.to_vector<double>()) == "");
}

TEST_CASE("permute puts dimension order[d] at dimension d") {
    const Tensor x = Tensor::from<std::int64_t>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {2, 3, 2});
    using Values = std::vector<double>;
    CHECK(permute(x, {2, 0, 1}).shape() == Shape{2, 2, 3});
    CHECK(permute(x, {2, 0, 1}).to_vector<double>() == Values{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11});
    CHECK(permute(x, {1, 0, -1}).to_vector<double>() == Values{0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11});
    CHECK(transpose(x, 0, 1).to_vector<double>() == permute(x, {1, 0, 2}).to_vector<double>());
}

TEST_CASE("permute between NHWC and channels_last shares storage") {
    const Tensor x = Tensor::zeros({2, 4, 5, 3});
    const Tensor images = permute(x, {0, 3, 1, 2});
    CHECK(images.shape() == Shape{2, 3, 4, 5});
    CHECK(images.layout() == Layout::channels_last);
    CHECK(images.raw() == x.raw());
    CHECK(permute(images, {0, 2, 3, 1}).raw() == x.raw());
    CHECK(permute(images, {0, 2, 3, 1}).layout() == Layout::row_major);
}

TEST_CASE("permute of channels_last images keeps the layout if the channels keep their place") {
    const Tensor x = Tensor::zeros({2, 3, 4, 5}).to(Layout::channels_last);
    CHECK(permute(x, {0, 1, 3, 2}).layout() == Layout::channels_last);
    CHECK(permute(x, {0, 2, 1, 3}).layout() == Layout::row_major);
}

TEST_CASE("permute, squeeze and unsqueeze take tensors without elements and scalars") {
    CHECK(permute(Tensor::zeros({0, 3, 2}), {2, 0, 1}).shape() == Shape{2, 0, 3});
    CHECK(permute(Tensor::zeros({}), {}).shape() == Shape{});
    CHECK(unsqueeze(Tensor::zeros({}), 0).shape() == Shape{1});
    CHECK(squeeze(Tensor::zeros({0, 1}), 1).shape() == Shape{0});
}

TEST_CASE("squeeze and unsqueeze of a row-major tensor are views") {
    const Tensor x = Tensor::zeros({2, 1, 3});
    CHECK(squeeze(x, 1).raw() == x.raw());
    CHECK(unsqueeze(x, -1).raw() == x.raw());
    CHECK(unsqueeze(x, -1).shape() == Shape{2, 1, 3, 1});
}

TEST_CASE("slice along dimension 0 shares storage") {
    const Tensor x = Tensor::zeros({4, 3});
    slice(x, 0, 1, 2).fill_(7);
    CHECK(x.to_vector<double>() == std::vector<double>{0, 0, 0, 7, 7, 7, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("slice and concat take every type, in packs of 16 bytes and beside them") {
    for (const DType dtype :
         {DType::float32, DType::float64, DType::int32, DType::int64, DType::uint8, DType::bfloat16}) {
        for (const std::int64_t width : {3, 16, 32}) {
            INFO(name_of(dtype) << ", " << width);
            std::vector<float> values(static_cast<std::size_t>(4 * width));
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
            const Tensor x = Tensor::from(values, {2, 2, width}).to(dtype);
            CHECK(differences(slice(x, 1, 1, 2).to_vector<float>(), halves(values, width, 1)) == "");
            CHECK(differences(concat({slice(x, 1, 0, 1), slice(x, 1, 1, 2)}, 1).to_vector<float>(), values) == "");
            CHECK(differences(concat({slice(x, 2, 0, 2), slice(x, 2, 2, width)}, 2).to_vector<float>(), values) == "");
        }
    }
}

TEST_CASE("shape ops in bfloat16 are float32's, rounded") {
    RandomInputs random(46);
    const Tensor index = Tensor::from<std::int64_t>({4, 0, 2, 0, 0, 1, 4}, {7});
    const std::vector<Tensor> matrix{random.tensor({7, 16})}, images{random.tensor({2, 16, 3, 3})};
    CHECK(bfloat16_problem([](const auto& in) { return reshape(in[0], {8, 14}); }, matrix) == "");
    CHECK(bfloat16_problem([](const auto& in) { return flatten(in[0]); }, images) == "");
    CHECK(bfloat16_problem([](const auto& in) { return slice(in[0], 1, 8, 16); }, images) == "");
    CHECK(bfloat16_problem([](const auto& in) { return concat({in[0], in[0]}, 1); }, images) == "");
    CHECK(bfloat16_problem([](const auto& in) { return transpose(in[0]); }, matrix) == "");
    CHECK(bfloat16_problem([&](const auto& in) { return gather_rows(in[0], index); }, matrix) == "");
    CHECK(bfloat16_problem([&](const auto& in) { return pick(in[0], index); }, matrix) == "");
}

TEST_CASE("gradients of rows gathered many times add up in their order") {
    RandomInputs random(47);
    const std::int64_t rows = 5, width = 130, count = 300;
    Tensor x = random.tensor({rows, width}, -1, 1, DType::float32);
    x.set_requires_grad();
    const Tensor index = random.labels(count, rows), seed = random.tensor({count, width}, -1, 1, DType::float32);
    backward(gather_rows(x, index), seed);
    std::vector<float> expected(static_cast<std::size_t>(rows * width));
    const auto at = index.to_vector<std::int64_t>();
    const auto grad = seed.to_vector<float>();
    for (std::size_t i = 0; i < at.size(); ++i)
        for (std::size_t c = 0; c < width; ++c)
            expected[static_cast<std::size_t>(at[i] * width) + c] += grad[i * width + c];
    CHECK(differences(x.grad().to_vector<float>(), expected) == "");
}

TEST_CASE("shape ops on what does not fit say what it is") {
    const Tensor x = Tensor::zeros({2, 3});
    CHECK(error_of([&] { reshape(x, {4, 2}); }) == "reshape: [2, 3] has 6 elements, shape [4, 2] holds 8");
    CHECK(error_of([] { flatten(Tensor::zeros({})); }) == "flatten: input is float32[], expected [N, ...]");
    CHECK(error_of([&] { slice(x, 1, 1, 4); }) == "slice: [1, 4) of dimension 1 of [2, 3], expected within [0, 3)");
    CHECK(error_of([&] { slice(x, 0, 2, 1); }) == "slice: [2, 1) of dimension 0 of [2, 3], expected within [0, 2)");
    CHECK(error_of([&] { slice(x, 2, 0, 1); }) == "slice: dimension 2 of [2, 3], which has 2");
    CHECK(error_of([] { transpose(Tensor::zeros({2, 3, 4})); }) == "transpose: input is [2, 3, 4], expected [M, N]");
    CHECK(error_of([&] {
              permute(x, {0, 0});
          }) == "permute: order {0, 0} repeats dimension 0, expected each of 2 dimensions once");
    CHECK(error_of([&] { permute(x, {0}); }) == "permute: order {0} has 1 dimensions, expected the 2 of [2, 3]");
    CHECK(error_of([&] { permute(x, {0, 2}); }) == "permute: dimension 2 of [2, 3], which has 2");
    CHECK(error_of([&] { squeeze(x, -1); }) == "squeeze: dimension -1 of [2, 3] has extent 3, expected 1");
    CHECK(error_of([&] { unsqueeze(x, 3); }) == "unsqueeze: dimension 3 for [2, 3], expected within [-3, 2]");
    CHECK(error_of([] { concat({}, 0); }) == "concat: nothing to join");
    CHECK(error_of([&] {
              concat({x, Tensor::zeros({2, 4})}, 0);
          }) == "concat: a part is [2, 4], the first [2, 3]; they may differ in dimension 0 only");
    CHECK(error_of([&] {
              concat({x, Tensor::zeros({2})}, 1);
          }) == "concat: a part is [2], the first [2, 3]; they may differ in dimension 1 only");
    CHECK(error_of([&] { concat({x, x}, 2); }) == "concat: dimension 2 of [2, 3], which has 2");
    CHECK(error_of([&] {
              concat({x, x.to(DType::float64)}, 0);
          }) == "concat: a part is float64[2, 3], expected float32");
}

TEST_CASE("an index out of range is named") {
    const Tensor x = Tensor::zeros({2, 3}, DType::float32, Device{});
    const auto index = [](const std::vector<std::int64_t>& values) {
        return Tensor::from(values, {static_cast<std::int64_t>(values.size())}, Device{});
    };
    CHECK(error_of([&] { gather_rows(x, index({0, 2})); }) == "gather_rows: index 2 is outside [0, 2)");
    CHECK(error_of([&] { gather_rows(x, index({-1})); }) == "gather_rows: index -1 is outside [0, 2)");
    CHECK(error_of([&] { gather_rows(x, Tensor::zeros({2}, DType::float32, Device{})); }) ==
          "gather_rows: index is float32[2], expected int64[M]");
    CHECK(error_of([&] { gather_rows(slice(x, 0, 0, 0), index({0})); }) ==
          "gather_rows: 1 rows asked of an input that has none");
    CHECK(error_of([&] { pick(x, index({0, 3})); }) == "pick: label 3 of sample 1 is outside [0, 3)");
    CHECK(error_of([&] { pick(x, index({0, 1, 2})); }) == "pick: labels are int64[3], expected int64[2]");
    CHECK(error_of([&] { pick(Tensor::zeros({3}, DType::float32, Device{}), index({0})); }) ==
          "pick: input is [3], expected [N, C]");
}

TEST_CASE("a device tells of an index out of range when the host next waits for it", "[device]") {
    const Device device = default_device();
    const Tensor x = Tensor::full({2, 3}, 1);
    const auto index = [&](const std::vector<std::int64_t>& values) {
        return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
    };
    for (const std::int64_t wrong : {std::int64_t{-1}, std::int64_t{3}, std::int64_t{1} << 60}) {
        const Tensor picked = pick(x, index({0, wrong}));
        CHECK(error_of([&] { synchronize(device); }) ==
              fmt::format("{}: index {} of sample 1 is outside [0, 3)", device.str(), wrong));
        CHECK(picked.to_vector<double>() == std::vector<double>{1, 1});  // reported once; other results are correct
        Tensor trained = x.clone();
        trained.set_requires_grad();
        sum(gather_rows(trained, index({1, 0, wrong, wrong}))).backward();
        CHECK(error_of([&] { synchronize(device); }) ==
              fmt::format("{}: index {} of sample 2 is outside [0, 2)", device.str(), wrong));
        CHECK(trained.grad().to_vector<double>() == std::vector<double>(6, 1));
    }
    const Tensor here = Tensor::zeros({2}, DType::int64, Device{});
    CHECK(error_of([&] { pick(x, here); }) == "pick: index is on cpu, expected " + device.str());
    CHECK(error_of([&] { gather_rows(x, here); }) == "gather_rows: index is on cpu, expected cuda:0");
}

TEST_CASE("an index takes a row, an image or an element, counting from either end") {
    const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {3, 2});
    CHECK(x[1].shape() == Shape{2});
    CHECK(x[1].to_vector<float>() == std::vector<float>{3, 4});
    CHECK(x[-1].to_vector<float>() == std::vector<float>{5, 6});
    CHECK(x[2][0].item() == 5);
    CHECK(x[2][0].rank() == 0);
    const Tensor images = Tensor::zeros({2, 3, 4, 5}).to(Layout::channels_last);
    CHECK(images[1].shape() == Shape{3, 4, 5});
}

TEST_CASE("an index passes its gradient on") {
    const Tensor x = Tensor::zeros({3, 2}, DType::float64).set_requires_grad();
    sum(square(x[1] + 1.0)).backward();
    CHECK(x.grad().to_vector<double>() == std::vector<double>{0, 0, 2, 2, 0, 0});
}

TEST_CASE("an index that is out of range names the tensor and itself") {
    const Tensor x = Tensor::zeros({3, 2});
    CHECK(error_of([&] { x[3]; }) == "tensor[3]: float32[3, 2] has 3 along dimension 0");
    CHECK(error_of([&] { x[-4]; }) == "tensor[-4]: float32[3, 2] has 3 along dimension 0");
    CHECK(error_of([&] { x[0][0][0]; }) == "tensor[0]: the tensor is a scalar");
}

TEST_CASE("class_sums adds up each class's rows, and leaves 0 for a class without any", "[core][ops]") {
    const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {3, 2});
    const Tensor labels = Tensor::from(std::vector<std::int64_t>{2, 0, 2}, {3});
    CHECK(class_sums(x, labels, 4).to_vector<float>() == std::vector<float>{3, 4, 0, 0, 6, 8, 0, 0});
}

TEST_CASE("place is the reverse of pick", "[core][ops]") {
    const Tensor values = Tensor::from(std::vector<float>{5, 7}, {2});
    const Tensor index = Tensor::from(std::vector<std::int64_t>{1, 0}, {2});
    const Tensor placed = place(values, index, 3);
    CHECK(placed.to_vector<float>() == std::vector<float>{0, 5, 0, 7, 0, 0});
    CHECK(differences(pick(placed, index).to_vector<float>(), values.to_vector<float>()) == "");
}

TEST_CASE("ops between samples and classes have the gradients of their differences", "[core][ops][gradcheck]") {
    RandomInputs random(31);
    for (const std::int64_t rows : {1, 7, 33}) {
        const Tensor labels = random.labels(rows, 5);
        CHECK(gradient_problem([&](const auto& in) { return class_sums(in[0], labels, 5); },
                               {random.tensor({rows, 3})}) == "");
        CHECK(gradient_problem([&](const auto& in) { return place(in[0], labels, 5); }, {random.tensor({rows})}) == "");
        CHECK(gradient_problem([](const auto& in) { return log_sum_exp(in[0]); },
                               {random.tensor({rows, 3, 7}, -3, 3)}) == "");
    }
}

TEST_CASE("ops between samples and classes refuse what does not fit", "[core][ops]") {
    const Tensor x = Tensor::zeros({3, 2}), labels = Tensor::from(std::vector<std::int64_t>{0, 1}, {2});
    CHECK(error_of([&] { class_sums(x, labels, 2); }) == "class_sums: labels are int64[2], expected int64[3]");
    CHECK(error_of([&] { class_sums(x.rows(0, 2), labels, 0); }) == "class_sums: 0 classes, expected at least 1");
    CHECK(error_after([&] { class_sums(x.rows(0, 2), labels, 1); }) ==
          bad_index("class_sums: label 1 of sample 1 is outside [0, 1)", 1, 1, 1));
    CHECK(error_of([&] { place(x, labels, 2); }) == "place: values is [3, 2], expected [N]");
    CHECK(error_of([&] { place(Tensor::zeros({2}), labels, 0); }) == "place: 0 columns, expected at least 1");
    CHECK(error_of([] {
              log_sum_exp(Tensor::zeros({2, 0}));
          }) == "log_sum_exp: input is [2, 0], expected [..., K] with K above 0");
}

}  // namespace radial::test
