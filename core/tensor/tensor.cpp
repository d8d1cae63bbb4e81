// Creation of tensors, reading and printing of their elements, and conversion between layouts and types.
#include "radial/core/tensor/tensor.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/kernels/values.h"
#include "radial/core/memory/transfer.h"
#include "radial/core/tensor/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <ostream>
#include <vector>

namespace radial {
namespace {

thread_local Device tensors_go_to;

std::shared_ptr<TensorImpl> alias_of(const TensorImpl& impl) {
    auto alias = std::make_shared<TensorImpl>();
    alias->shape = impl.shape;
    alias->dtype = impl.dtype;
    alias->layout = impl.layout;
    alias->offset = impl.offset;
    alias->storage = impl.storage;
    return alias;
}

// Copies [N, C, HW] to [N, HW, C] or back, in tiles that fit into the cache (host memory).
template <class T>
void swap_planes(const T* source, T* target, std::int64_t batch, std::int64_t from_rows, std::int64_t from_columns) {
    constexpr std::int64_t tile = 16;
    const std::int64_t row_tiles = (from_rows + tile - 1) / tile;
    kernels::host::rows(batch * row_tiles, tile * from_columns, [=](std::int64_t task) {
        const std::int64_t n = task / row_tiles, first = task % row_tiles * tile;
        const std::int64_t last = std::min(first + tile, from_rows);
        const T* const in = source + n * from_rows * from_columns;
        T* const out = target + n * from_rows * from_columns;
        for (std::int64_t c = 0; c < from_columns; ++c) {
            for (std::int64_t r = first; r < last; ++r) out[c * from_rows + r] = in[r * from_columns + c];
        }
    });
}

void convert_layout(const Tensor& source, const Tensor& target) {
    const Shape& s = source.shape();
    const std::int64_t plane = s[2] * s[3];
    const bool to_last = target.layout() == Layout::channels_last;
    const std::int64_t rows = to_last ? s[1] : plane, columns = to_last ? plane : s[1];
    dispatch_all(source.dtype(), [&](auto zero) {
        using T = decltype(zero);
        if (source.device().kind == Device::Kind::cpu) {
            swap_planes(source.data<T>(), target.data<T>(), s[0], rows, columns);
        } else {
            kernels::map2(source.device(), s[0] * columns, rows,
                          kernels::SwapPlanes<T>{source.data<T>(), target.data<T>(), rows, columns});
        }
    });
}

void fill_with_zeros(const Tensor& x) {
    if (x.bytes() == 0) return;
    if (x.device().kind == Device::Kind::cpu) {
        std::memset(x.raw(), 0, x.bytes());
    } else {
        device::fill(x.device().index, x.raw(), 0, x.bytes());
    }
}

}  // namespace

Device default_device() { return tensors_go_to; }
DefaultDevice::DefaultDevice(Device device) : previous_(tensors_go_to) { tensors_go_to = device; }
DefaultDevice::~DefaultDevice() { tensors_go_to = previous_; }

Tensor Tensor::empty(const Shape& shape, DType dtype, Device device, Layout layout) {
    RADIAL_CHECK(layout == Layout::row_major || shape.rank() == 4,
                 "tensor: layout channels_last needs rank 4, shape is {}", shape.str());
    auto impl = std::make_shared<TensorImpl>();
    impl->shape = shape;
    impl->dtype = dtype;
    impl->layout = layout;
    impl->storage = std::make_shared<Storage>(static_cast<std::size_t>(shape.numel()) * size_of(dtype), device);
    return Tensor(std::move(impl));
}

Tensor Tensor::empty_like(const Tensor& other) {
    return empty(other.shape(), other.dtype(), other.device(), other.layout());
}

Tensor Tensor::zeros(const Shape& shape, DType dtype, Device device) {
    Tensor result = empty(shape, dtype, device);
    fill_with_zeros(result);
    return result;
}

Tensor Tensor::zeros_like(const Tensor& other) {
    Tensor result = empty_like(other);
    fill_with_zeros(result);
    return result;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype, Device device) {
    Tensor result = empty(shape, dtype, device);
    result.fill_(value);
    return result;
}

template <class T>
Tensor Tensor::from(std::span<const T> values, const Shape& shape, Device device) {
    RADIAL_CHECK(static_cast<std::int64_t>(values.size()) == shape.numel(),
                 "tensor: {} values given for shape {}, which holds {}", values.size(), shape.str(), shape.numel());
    Tensor result = empty(shape, dtype_of<T>, device);
    transfer(device, result.raw(), Device{}, values.data(), values.size_bytes());
    return result;
}

template <class T>
T* Tensor::data() const {
    RADIAL_CHECK(dtype_of<T> == dtype(), "tensor: elements of {} read as {}", str(), name_of(dtype_of<T>));
    return static_cast<T*>(raw());
}

void* Tensor::raw() const {
    return static_cast<std::byte*>(impl_->storage->data()) + static_cast<std::size_t>(impl_->offset) * size_of(dtype());
}

void Tensor::check_host(std::string_view what) const {
    RADIAL_CHECK(device().kind == Device::Kind::cpu, "{}: {} is on {}; copy it to the CPU first", what, str(),
                 device().str());
}

double Tensor::item() const {
    RADIAL_CHECK(numel() == 1, "item: {} has {} elements, expected 1", str(), numel());
    return dispatch_all(dtype(), [&](auto zero) {
        decltype(zero) value;
        transfer(Device{}, &value, device(), raw(), sizeof(value));
        return static_cast<double>(value);
    });
}

template <class T>
std::vector<T> Tensor::to_vector() const {
    const Tensor plain = to(Device{}).to(Layout::row_major);
    return dispatch_all(dtype(), [&](auto zero) {
        const auto values = plain.values<decltype(zero)>();
        std::vector<T> result(values.size());
        std::transform(values.begin(), values.end(), result.begin(), [](auto v) { return kernels::convert<T>(v); });
        return result;
    });
}

Tensor Tensor::detach() const { return Tensor(alias_of(*impl_)); }

Tensor Tensor::clone() const {
    Tensor result = empty_like(*this);
    transfer(device(), result.raw(), device(), raw(), bytes());
    return result;
}

Tensor Tensor::to(Layout wanted) const {
    if (wanted == layout()) return *this;
    const Shape& s = shape();
    RADIAL_CHECK(rank() == 4, "layout: {} cannot be made {}, which needs rank 4", str(), name_of(wanted));
    if (s[1] == 1 || s[2] * s[3] == 1) {  // both orders are identical, so only the tag changes
        Tensor result(alias_of(*impl_));
        result.impl_->layout = wanted;
        return result;
    }
    Tensor result = empty(s, dtype(), device(), wanted);
    convert_layout(*this, result);
    return result;
}

Tensor Tensor::to(Device wanted) const {
    if (wanted == device()) return *this;
    Tensor result = empty(shape(), dtype(), wanted, layout());
    transfer(wanted, result.raw(), device(), raw(), bytes());
    return result;
}

Tensor Tensor::to(DType wanted) const {
    if (wanted == dtype()) return *this;
    Tensor result = empty(shape(), wanted, device(), layout());
    result.copy_(*this);
    return result;
}

Tensor Tensor::view(const Shape& wanted) const {
    RADIAL_CHECK(wanted.numel() == numel(), "view: {} has {} elements, shape {} holds {}", str(), numel(), wanted.str(),
                 wanted.numel());
    RADIAL_CHECK(layout() == Layout::row_major || wanted == shape(),
                 "view: {} is channels_last; convert it to row_major first", str());
    Tensor result(alias_of(*impl_));
    result.impl_->shape = wanted;
    return result;
}

Tensor Tensor::rows(std::int64_t begin, std::int64_t end) const {
    RADIAL_CHECK(rank() >= 1, "rows: {} has no dimension 0", str());
    RADIAL_CHECK(begin >= 0 && begin <= end && end <= size(0), "rows: [{}, {}) of {}, expected within [0, {})", begin,
                 end, str(), size(0));
    Tensor result(alias_of(*impl_));
    const std::int64_t row = size(0) == 0 ? 0 : numel() / size(0);
    result.impl_->shape[0] = end - begin;
    result.impl_->offset += begin * row;
    return result;
}

void Tensor::copy_(const Tensor& source) const {
    RADIAL_CHECK(source.shape() == shape(), "copy_: source is {}, target {}", source.str(), str());
    if (source.dtype() == dtype() && source.layout() == layout()) {
        transfer(device(), raw(), source.device(), source.raw(), bytes());
        return bump_version();
    }
    const Tensor aligned = source.to(device()).to(layout());
    if (aligned.dtype() == dtype()) {
        transfer(device(), raw(), device(), aligned.raw(), bytes());
    } else {
        dispatch_all(dtype(), [&](auto to_zero) {
            dispatch_all(aligned.dtype(), [&](auto from_zero) {
                using To = decltype(to_zero);
                using From = decltype(from_zero);
                kernels::map(device(), numel(), kernels::Convert<To, From>{aligned.data<From>(), data<To>()});
            });
        });
    }
    bump_version();
}

void Tensor::fill_(double value) const {
    dispatch_all(dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::map(device(), numel(), kernels::Fill<T>{data<T>(), kernels::convert<T>(value)});
    });
    bump_version();
}

Tensor& Tensor::set_requires_grad(bool on) {
    RADIAL_CHECK(!on || is_floating(dtype()), "set_requires_grad: {} is not floating", str());
    RADIAL_CHECK(impl_->producer == nullptr, "set_requires_grad: {} is the result of an op; only leaves can be marked",
                 str());
    impl_->requires_grad = on;
    return *this;
}

std::string Tensor::str() const {
    if (!defined()) return "(undefined)";
    return fmt::format("{}{}", name_of(dtype()), shape().str());
}

#define RADIAL_INSTANTIATE(T)                                                  \
    template Tensor Tensor::from<T>(std::span<const T>, const Shape&, Device); \
    template T* Tensor::data<T>() const;                                       \
    template std::vector<T> Tensor::to_vector<T>() const;
RADIAL_INSTANTIATE(float)
RADIAL_INSTANTIATE(double)
RADIAL_INSTANTIATE(std::int32_t)
RADIAL_INSTANTIATE(std::int64_t)
RADIAL_INSTANTIATE(std::uint8_t)
RADIAL_INSTANTIATE(bfloat16)
#undef RADIAL_INSTANTIATE
template const float* Tensor::data<const float>() const;
template const bfloat16* Tensor::data<const bfloat16>() const;
template const double* Tensor::data<const double>() const;
template const std::int64_t* Tensor::data<const std::int64_t>() const;
template const std::uint8_t* Tensor::data<const std::uint8_t>() const;

namespace {

/// Recursively writes the parts of a tensor along one dimension after the other.
class Writer {
public:
    Writer(std::ostream& stream, const Tensor& tensor)
        : stream_(stream),
          shape_(tensor.shape()),
          strides_(shape_.strides()),
          whole_(is_floating(tensor.dtype()) ? std::vector<std::int64_t>{} : tensor.to_vector<std::int64_t>()),
          values_(is_floating(tensor.dtype()) ? tensor.to_vector<double>() : std::vector<double>{}),
          summarised_(tensor.numel() > most_elements) {}

    void write(int dim, std::int64_t offset) const {
        if (dim == shape_.rank()) return element(static_cast<std::size_t>(offset));
        const std::int64_t count = shape_[dim], stride = strides_[static_cast<std::size_t>(dim)];
        const bool cut = summarised_ && count > 2 * edge + 2;
        stream_ << '[';
        for (std::int64_t i = 0; i < count; ++i) {
            if (i > 0) separate(dim);
            if (cut && i == edge) {
                stream_ << "...";
                i = count - edge - 1;
                continue;
            }
            write(dim + 1, offset + i * stride);
        }
        stream_ << ']';
    }

private:
    static constexpr std::int64_t most_elements = 1000, edge = 3;

    void element(std::size_t at) const {
        if (values_.empty())
            stream_ << whole_[at];
        else
            stream_ << fmt::format("{:.6g}", values_[at]);
    }
    // Rows are separated by a line break, matrices also by an empty line.
    void separate(int dim) const {
        const int below = shape_.rank() - 1 - dim;
        stream_ << (below == 0 ? ", " : ",");
        for (int line = 0; line < std::min(below, 2); ++line) stream_ << '\n';
        if (below > 0) stream_ << std::string(static_cast<std::size_t>(dim) + 1, ' ');
    }

    std::ostream& stream_;
    Shape shape_;
    std::array<std::int64_t, Shape::max_rank> strides_;
    std::vector<std::int64_t> whole_;
    std::vector<double> values_;
    bool summarised_;
};

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Tensor& tensor) {
    stream << tensor.str();
    if (!tensor.defined()) return stream;
    stream << '\n';
    Writer(stream, tensor).write(0, 0);
    return stream;
}

}  // namespace radial
