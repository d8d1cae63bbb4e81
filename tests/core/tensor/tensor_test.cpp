// Tests of tensors: creation, reading, views, layouts, conversions, and every message.
#include "radial/core/tensor/tensor.h"

#include "../../expect.h"
#include "radial/core/backend/backend.h"
#include "radial/core/memory/device_runtime.h"

#include <numeric>
#include <sstream>

using namespace radial;
using namespace radial::test;

namespace {

using Values = std::vector<double>;

Tensor counting(const Shape& shape) {
    std::vector<float> values(static_cast<std::size_t>(shape.numel()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    return Tensor::from(values, shape);
}

}  // namespace

TEST_CASE("a shape knows its rank, its size and its strides", "[host]") {
    const Shape shape{2, 3, 4};
    CHECK(shape.rank() == 3);
    CHECK(shape.numel() == 24);
    CHECK(shape.at(-1) == 4);
    CHECK(shape.str() == "[2, 3, 4]");
    CHECK(shape.strides()[0] == 12);
    CHECK(shape.strides()[2] == 1);
    CHECK(Shape{}.numel() == 1);
    CHECK(Shape{}.str() == "[]");
    CHECK(Shape{2, 0, 3}.numel() == 0);
    CHECK(Shape{2, 3} != Shape{3, 2});
    CHECK(Shape{2} != Shape{2, 1});
}

TEST_CASE("a shape refuses what it cannot be", "[host]") {
    CHECK(error_of([] { Shape{2, -3}; }) == "shape: extent -3 of dimension 1 is negative");
    CHECK(error_of([] { Shape{1, 1, 1, 1, 1, 1, 1}; }) == "shape: 7 dimensions, at most 6 are supported");
    CHECK(error_of([] { Shape({2, 3}).at(2); }) == "shape: dimension 2 of [2, 3], which has 2");
    CHECK(error_of([] { Shape({2, 3}).at(-3); }) == "shape: dimension -3 of [2, 3], which has 2");
}

TEST_CASE("dtypes and layouts have names and sizes", "[host]") {
    CHECK(name_of(DType::float32) == "float32");
    CHECK(name_of(DType::float64) == "float64");
    CHECK(name_of(DType::int32) == "int32");
    CHECK(name_of(DType::int64) == "int64");
    CHECK(name_of(DType::uint8) == "uint8");
    CHECK(size_of(DType::float32) == 4);
    CHECK(size_of(DType::int64) == 8);
    CHECK(size_of(DType::uint8) == 1);
    CHECK(name_of(Layout::channels_last) == "channels_last");
}

TEST_CASE("a device is read from its name and written back", "[host]") {
    CHECK(Device::parse("cpu") == Device{});
    CHECK(Device::parse("cuda") == Device{Device::Kind::cuda, 0});
    CHECK(Device::parse("cuda:3") == Device{Device::Kind::cuda, 3});
    CHECK(Device::parse("cuda:3").str() == "cuda:3");
    CHECK(Device{}.str() == "cpu");
    for (const std::string name : {"gpu", "", "cuda:", "cuda:-1", "cuda:1x", "CPU"})
        CHECK(error_of([&] { Device::parse(name); }) == "device: '" + name + "' is not one of cpu, cuda, cuda:N");
}

TEST_CASE("tensors are made with the values asked for") {
    CHECK(Tensor::zeros({2, 2}).to_vector<double>() == Values{0, 0, 0, 0});
    CHECK(Tensor::full({3}, 2.5).to_vector<double>() == Values{2.5, 2.5, 2.5});
    CHECK(Tensor::full({2}, 7, DType::uint8).to_vector<double>() == Values{7, 7});
    CHECK(Tensor::from<std::int64_t>({1, -2}, {2}).to_vector<double>() == Values{1, -2});
    CHECK(Tensor::zeros({2}, DType::int32).dtype() == DType::int32);
    const Tensor model = Tensor::empty({1, 2, 3, 4}, DType::float64, default_device(), Layout::channels_last);
    CHECK(Tensor::empty_like(model).layout() == Layout::channels_last);
    CHECK(Tensor::zeros_like(model).dtype() == DType::float64);
    CHECK(Tensor::zeros_like(model).to_vector<double>() == Values(24, 0.0));
    CHECK_FALSE(Tensor().defined());
}

TEST_CASE("making a tensor from the wrong number of values is an error") {
    CHECK(error_of([] {
              Tensor::from<float>({1, 2, 3}, {2, 2});
          }) == "tensor: 3 values given for shape [2, 2], which holds 4");
    CHECK(error_of([] {
              Tensor::empty({2, 2}, DType::float32, default_device(), Layout::channels_last);
          }) == "tensor: layout channels_last needs rank 4, shape is [2, 2]");
}

TEST_CASE("a tensor on a device that this build lacks is an error") {
    for (const int index : {device::count(), device::count() + 1}) {
        const Device device{Device::Kind::cuda, index};
        CHECK(error_of([&] { Tensor::empty({1}, DType::float32, device); }) == device::unavailable(index));
        CHECK(error_of([&] { backend_for(device, DType::float32); }) == device::unavailable(index));
    }
}

TEST_CASE("why a CUDA device cannot be used names the device") {
    const std::string reason = device::unavailable(1);
    if (device::built()) {
        CHECK((reason.starts_with("no CUDA device: ") || reason.starts_with("CUDA device 1 (")));
        CHECK(reason.ends_with(" (asked for cuda:1)"));
    } else {
        CHECK(reason == "no CUDA device: this build of Radial has no CUDA backend (asked for cuda:1)");
    }
}

TEST_CASE("a tensor tells its extents, its bytes and its name") {
    const Tensor x = Tensor::zeros({128, 10});
    CHECK(x.rank() == 2);
    CHECK(x.size(-1) == 10);
    CHECK(x.numel() == 1280);
    CHECK(x.bytes() == 5120);
    CHECK(x.str() == "float32[128, 10]");
    CHECK(x.device() == default_device());
    CHECK(Tensor().str() == "(undefined)");
    CHECK(error_of([&] { x.size(2); }) == "shape: dimension 2 of [128, 10], which has 2");
}

TEST_CASE("elements are read as the type they have") {
    const Tensor x = counting({2, 2}).to(Device{});
    CHECK(x.values<float>()[3] == 3);
    CHECK(x.data<const float>()[2] == 2);
    CHECK(error_of([&] { x.data<double>(); }) == "tensor: elements of float32[2, 2] read as float64");
    CHECK(Tensor::full({1, 1}, 4).item() == 4);
    CHECK(error_of([&] { x.item(); }) == "item: float32[2, 2] has 4 elements, expected 1");
}

TEST_CASE("to_vector converts and gives logical order in either layout") {
    const Tensor x = counting({2, 3, 2, 2});
    const auto expected = x.to_vector<std::int64_t>();
    CHECK(expected[5] == 5);
    CHECK(differences(x.to(Layout::channels_last).to_vector<std::int64_t>(), expected) == "");
    CHECK(x.to(Layout::channels_last).to(Device{}).values<float>()[1] == 4);  // the second channel of the first pixel
}

TEST_CASE("going to channels_last and back keeps every element") {
    for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 7}, Shape{3, 1, 4, 4}, Shape{2, 20, 1, 1},
                               Shape{1, 17, 33, 19}, Shape{0, 3, 2, 2}}) {
        const Tensor x = counting(shape);
        const Tensor y = x.to(Layout::channels_last);
        CHECK(y.layout() == Layout::channels_last);
        CHECK(y.shape() == shape);
        CHECK(differences(y.to(Layout::row_major).to_vector<double>(), x.to_vector<double>()) == "");
    }
}

TEST_CASE("a conversion to what a tensor already is shares it") {
    const Tensor x = counting({1, 2, 2, 2});
    CHECK(x.to(Layout::row_major).raw() == x.raw());
    CHECK(x.to(DType::float32).raw() == x.raw());
    CHECK(x.to(default_device()).raw() == x.raw());
    CHECK(error_of([] {
              Tensor::zeros({2, 2}).to(Layout::channels_last);
          }) == "layout: float32[2, 2] cannot be made channels_last, which needs rank 4");
}

TEST_CASE("conversions of dtype round toward zero") {
    const Tensor x = Tensor::from<float>({1.75F, -1.75F, 3}, {3});
    CHECK(x.to(DType::int32).to_vector<double>() == Values{1, -1, 3});
    CHECK(differences(x.to(DType::float64).to(DType::float32).to_vector<double>(), x.to_vector<double>()) == "");
    CHECK(differences(counting({1, 2, 2, 2}).to(Layout::channels_last).to(DType::float64).to_vector<double>(),
                      counting({1, 2, 2, 2}).to_vector<double>()) == "");
}

TEST_CASE("rows and views share storage and its version") {
    const Tensor x = counting({4, 3});
    const Tensor part = x.rows(1, 3), flat = x.view({12});
    CHECK(part.shape() == Shape{2, 3});
    CHECK(part.to_vector<double>() == Values{3, 4, 5, 6, 7, 8});
    CHECK(part.rows(1, 2).to_vector<double>() == Values{6, 7, 8});
    const auto version = x.version();
    part.fill_(0);
    CHECK(x.version() > version);
    CHECK(flat.version() == x.version());
    CHECK(flat.to_vector<double>() == Values{0, 1, 2, 0, 0, 0, 0, 0, 0, 9, 10, 11});
    CHECK(x.rows(2, 2).numel() == 0);
}

TEST_CASE("rows of a channels_last tensor are its images") {
    const Tensor x = counting({3, 2, 2, 2});
    CHECK(differences(x.to(Layout::channels_last).rows(1, 2).to_vector<double>(), x.rows(1, 2).to_vector<double>()) ==
          "");
}

TEST_CASE("views and rows that do not fit are errors") {
    const Tensor x = counting({4, 3});
    CHECK(error_of([&] { x.view({5, 2}); }) == "view: float32[4, 3] has 12 elements, shape [5, 2] holds 10");
    CHECK(error_of([&] { x.rows(2, 5); }) == "rows: [2, 5) of float32[4, 3], expected within [0, 4)");
    CHECK(error_of([&] { x.rows(-1, 2); }) == "rows: [-1, 2) of float32[4, 3], expected within [0, 4)");
    CHECK(error_of([&] { x.rows(3, 2); }) == "rows: [3, 2) of float32[4, 3], expected within [0, 4)");
    CHECK(error_of([] { Tensor::zeros({}).rows(0, 1); }) == "rows: float32[] has no dimension 0");
    const Tensor image = counting({1, 2, 2, 2}).to(Layout::channels_last);
    CHECK(error_of([&] { image.view({8}); }) ==
          "view: float32[1, 2, 2, 2] is channels_last; convert it to row_major first");
}

TEST_CASE("copy_ writes through any dtype and layout") {
    const Tensor x = counting({1, 2, 2, 2});
    const Tensor target = Tensor::empty({1, 2, 2, 2}, DType::float64, default_device(), Layout::channels_last);
    const auto version = target.version();
    target.copy_(x);
    CHECK(differences(target.to_vector<double>(), x.to_vector<double>()) == "");
    CHECK(target.version() > version);
    CHECK(error_of([&] {
              target.copy_(Tensor::zeros({2, 2}));
          }) == "copy_: source is float32[2, 2], target float64[1, 2, 2, 2]");
}

TEST_CASE("copy_ into rows leaves the others alone") {
    const Tensor x = Tensor::zeros({3, 2});
    x.rows(1, 2).copy_(Tensor::from<float>({5, 6}, {1, 2}));
    CHECK(x.to_vector<double>() == Values{0, 0, 5, 6, 0, 0});
}

TEST_CASE("clone owns its elements, detach shares them") {
    const Tensor x = counting({2, 2});
    const Tensor copy = x.clone(), alias = x.detach();
    x.fill_(9);
    CHECK(copy.to_vector<double>() == Values{0, 1, 2, 3});
    CHECK(alias.to_vector<double>() == Values{9, 9, 9, 9});
    CHECK(x.rows(1, 2).clone().to_vector<double>() == Values{9, 9});
}

TEST_CASE("a tensor is exclusive while nothing else can see its elements") {
    Tensor x = counting({2, 2});
    CHECK(x.exclusive());
    {
        const Tensor handle = x;  // NOLINT(performance-unnecessary-copy-initialization): the test needs the copy
        CHECK_FALSE(x.exclusive());
        CHECK_FALSE(handle.exclusive());
    }
    {
        const Tensor view = x.rows(0, 1);
        CHECK_FALSE(x.exclusive());
        CHECK_FALSE(view.exclusive());
    }
    CHECK(x.exclusive());
}

std::string printed(const Tensor& x) {
    std::ostringstream text;
    text << x;
    return text.str();
}

TEST_CASE("a printed tensor shows its type, shape and elements, a row a line") {
    CHECK(printed(Tensor::from(std::vector<float>{0.5F, 1, -2, 3, 4.25F, 1e-5F}, {2, 3})) ==
          "float32[2, 3]\n[[0.5, 1, -2],\n [3, 4.25, 1e-05]]");
    CHECK(printed(Tensor::from(std::vector<std::int64_t>{1, 2}, {2, 1, 1})) == "int64[2, 1, 1]\n[[[1]],\n\n [[2]]]");
    CHECK(printed(Tensor::full({}, 7)) == "float32[]\n7");
    CHECK(printed(Tensor::zeros({0})) == "float32[0]\n[]");
    CHECK(printed(Tensor()) == "(undefined)");
}

TEST_CASE("a printed tensor is in logical order whatever its layout") {
    const Tensor x = Tensor::from(std::vector<float>{1, 2, 3, 4}, {1, 2, 1, 2});
    CHECK(printed(x.to(Layout::channels_last)) == printed(x));
}

TEST_CASE("a large tensor is printed with the first and last elements of each dimension") {
    std::vector<float> values(2000);
    std::iota(values.begin(), values.end(), 0.0F);
    CHECK(printed(Tensor::from(values, {2, 1000})) ==
          "float32[2, 1000]\n[[0, 1, 2, ..., 997, 998, 999],\n [1000, 1001, 1002, ..., 1997, 1998, 1999]]");
}
