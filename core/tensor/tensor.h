// What a tensor is: a shape, an element type, a layout and a share in some storage. No maths here.
#pragma once

#include "radial/core/memory/storage.h"
#include "radial/core/tensor/types.h"
#include "radial/core/util/error.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

class Node;
class Tensor;

/// Where tensors go that are made on this thread without naming a device: the CPU unless a DefaultDevice lives.
Device default_device();
/// While one lives, `device` is this thread's default_device(). Ops never look at it: they run where their inputs are.
class DefaultDevice {
public:
    explicit DefaultDevice(Device device);
    ~DefaultDevice();
    DefaultDevice(const DefaultDevice&) = delete;
    DefaultDevice& operator=(const DefaultDevice&) = delete;

private:
    Device previous_;
};

/// What a Tensor handle points to. For the engine's own use.
struct TensorImpl {
    Shape shape;
    DType dtype = DType::float32;
    Layout layout = Layout::row_major;
    std::int64_t offset = 0;  ///< in elements, from the storage's start
    std::shared_ptr<Storage> storage;

    bool requires_grad = false;        ///< set on leaves by the user, on results by the tape
    std::shared_ptr<Node> producer;    ///< the op that made it; null for a leaf
    std::shared_ptr<TensorImpl> grad;  ///< leaves only: dL/dthis, same shape
};

/// A handle to an n-dimensional array. Copying it shares the array; ops never change their inputs.
/// Elements are dense in one of the two layouts; slices along dimension 0 and reshapes are views.
class Tensor {
public:
    /// An undefined tensor: defined() is false and nothing else may be asked of it.
    Tensor() = default;
    explicit Tensor(std::shared_ptr<TensorImpl> impl) : impl_(std::move(impl)) {}

    // ---- making ----
    /// Uninitialised elements. Throws OutOfMemory.
    static Tensor empty(const Shape& shape, DType dtype = DType::float32, Device device = default_device(),
                        Layout layout = Layout::row_major);
    /// Uninitialised, with `other`'s shape, dtype, device and layout.
    static Tensor empty_like(const Tensor& other);
    static Tensor zeros(const Shape& shape, DType dtype = DType::float32, Device device = default_device());
    static Tensor zeros_like(const Tensor& other);
    static Tensor full(const Shape& shape, double value, DType dtype = DType::float32,
                       Device device = default_device());
    /// A copy of `values` (row-major) as `shape`. Throws Error when the counts differ.
    template <class T>
    static Tensor from(std::span<const T> values, const Shape& shape, Device device = default_device());
    template <class T>
    static Tensor from(const std::vector<T>& values, const Shape& shape, Device device = default_device()) {
        return from(std::span<const T>(values), shape, device);
    }

    // ---- asking ----
    bool defined() const { return impl_ != nullptr; }
    const Shape& shape() const { return impl_->shape; }
    int rank() const { return impl_->shape.rank(); }
    /// Extent of `dim`; negative counts from the back.
    std::int64_t size(int dim) const { return impl_->shape.at(dim); }
    std::int64_t numel() const { return impl_->shape.numel(); }
    std::size_t bytes() const { return static_cast<std::size_t>(numel()) * size_of(dtype()); }
    DType dtype() const { return impl_->dtype; }
    Device device() const { return impl_->storage->device(); }
    Layout layout() const { return impl_->layout; }
    std::uint64_t version() const { return impl_->storage->version(); }

    // ---- elements ----
    /// First element in memory order. Throws Error when T is not the dtype. The host must not read what it points to
    /// on another device.
    template <class T>
    T* data() const;
    /// Address of the first element, untyped.
    void* raw() const;
    /// The elements in memory order. Throws Error unless they are on the CPU.
    template <class T>
    std::span<T> values() const {
        check_host("values");
        return {data<T>(), static_cast<std::size_t>(numel())};
    }
    /// The only element as a double, whatever the dtype. Waits for its device. Throws Error when there is not exactly
    /// one.
    double item() const;
    /// A copy of the elements in logical row-major order, converted to T. Waits for their device.
    template <class T>
    std::vector<T> to_vector() const;

    // ---- other forms; none of these is recorded on the tape ----
    /// The same storage without history: never requires a gradient.
    Tensor detach() const;
    /// A copy in storage of its own, without history.
    Tensor clone() const;
    /// The elements in `layout`: itself when already so, else a copy. Rank 4 for channels_last.
    Tensor to(Layout layout) const;
    /// A copy on `device`, or itself when already there. A copy from a device waits for it; one to a device does not.
    Tensor to(Device device) const;
    /// A copy converted to `dtype`, or itself when already so.
    Tensor to(DType dtype) const;
    /// Same storage, other shape (row-major tensors). Throws Error when the counts differ.
    Tensor view(const Shape& shape) const;
    /// Rows [begin, end) of dimension 0, sharing storage.
    Tensor rows(std::int64_t begin, std::int64_t end) const;
    /// Writes `source`'s elements here in place (same shape; dtype and layout are converted).
    void copy_(const Tensor& source) const;
    void fill_(double value) const;
    /// To be called after writing through data(): saved tensors that share the storage become stale.
    void bump_version() const {
        impl_->storage->bump_version();
        WriteLog::note(impl_->storage);
    }
    /// True when nothing but this handle can see the elements, so an op may overwrite them.
    bool exclusive() const { return impl_.use_count() == 1 && impl_->storage.use_count() == 1; }

    // ---- gradients ----
    bool requires_grad() const { return impl_->requires_grad; }
    /// Marks a leaf as wanting a gradient. Throws Error on a result of an op, or an integer tensor.
    Tensor& set_requires_grad(bool on = true);
    /// dL/dthis after backward(); undefined before. Leaves only.
    Tensor grad() const { return Tensor(impl_->grad); }
    void set_grad(const Tensor& grad) const { impl_->grad = grad.impl_; }
    void clear_grad() const { impl_->grad.reset(); }
    /// Differentiates this scalar with respect to every leaf that wants it; frees the graph. See autograd.h.
    void backward() const;

    /// Element, row or image `i` of dimension 0, which it removes: a view, recorded on the tape (core/ops/shape.h).
    /// Negative counts from the back. Throws Error when out of range.
    Tensor operator[](std::int64_t i) const;

    /// "float32[128, 10]", for messages. `stream << tensor` prints the elements (core/tensor/print.h).
    std::string str() const;

    const std::shared_ptr<TensorImpl>& impl() const { return impl_; }

private:
    void check_host(std::string_view what) const;

    std::shared_ptr<TensorImpl> impl_;
};

}  // namespace radial
