// The tensor: a shape, an element type, a layout and a reference to shared storage. Operations are in core/ops.h.
#pragma once

#include "radial/core/memory/storage.h"
#include "radial/core/tensor/types.h"
#include "radial/core/util/error.h"

#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Tensors, autograd, ops, modules, layers, losses, models, optimizers and files.
namespace radial {

class Node;
class Tensor;

/// The device of tensors that are created on this thread without naming one: the CPU unless a DefaultDevice exists.
Device default_device();
/// While the object exists, `device` is this thread's default_device(). Ops ignore it: they run where their inputs are.
class DefaultDevice {
public:
    /// Sets the default device.
    explicit DefaultDevice(Device device);
    ~DefaultDevice();
    DefaultDevice(const DefaultDevice&) = delete;
    DefaultDevice& operator=(const DefaultDevice&) = delete;

private:
    Device previous_;
};

/// The object that a Tensor refers to. For internal use.
struct TensorImpl {
    Shape shape;                        ///< logical extents
    DType dtype = DType::float32;       ///< element type
    Layout layout = Layout::row_major;  ///< order of the elements in memory
    std::int64_t offset = 0;            ///< offset of the first element in the storage, in elements
    std::shared_ptr<Storage> storage;   ///< the elements, possibly shared with other tensors

    bool requires_grad = false;        ///< set on leaves by the user, on results of ops by the tape
    std::shared_ptr<Node> producer;    ///< the op that computed it; null for a leaf
    std::shared_ptr<TensorImpl> grad;  ///< leaves only: gradient of the same shape
};

/// A handle to an n-dimensional array. Copies share the array; ops never change their inputs. Elements are dense, in
/// one of two layouts; slices along dimension 0 and reshapes are views.
class Tensor {
public:
    /// An undefined tensor: only defined() may be called on it.
    Tensor() = default;
    /// A handle to an existing tensor. For internal use.
    explicit Tensor(std::shared_ptr<TensorImpl> impl) : impl_(std::move(impl)) {}

    // ---- creation ----
    /// A tensor with uninitialised elements. Throws OutOfMemory.
    static Tensor empty(const Shape& shape, DType dtype = DType::float32, Device device = default_device(),
                        Layout layout = Layout::row_major);
    /// A tensor with uninitialised elements and the shape, dtype, device and layout of `other`.
    static Tensor empty_like(const Tensor& other);
    /// A row-major tensor of zeros. Throws OutOfMemory.
    static Tensor zeros(const Shape& shape, DType dtype = DType::float32, Device device = default_device());
    /// A tensor of zeros with the shape, dtype, device and layout of `other`.
    static Tensor zeros_like(const Tensor& other);
    /// A row-major tensor with `value`, converted to `dtype`, in every element. Throws OutOfMemory.
    static Tensor full(const Shape& shape, double value, DType dtype = DType::float32,
                       Device device = default_device());
    ///@{
    /// A copy of `values`, in row-major order, as a tensor of `shape` with the DType of T. Throws Error when the number
    /// of elements differs.
    template <class T>
    static Tensor from(std::span<const T> values, const Shape& shape, Device device = default_device());
    template <class T>
    static Tensor from(const std::vector<T>& values, const Shape& shape, Device device = default_device()) {
        return from(std::span<const T>(values), shape, device);
    }
    ///@}

    // ---- properties ----
    /// Whether the handle refers to a tensor.
    bool defined() const { return impl_ != nullptr; }
    /// The logical extents.
    const Shape& shape() const { return impl_->shape; }
    /// The number of dimensions.
    int rank() const { return impl_->shape.rank(); }
    /// The extent of `dim`; negative numbers count from the back. Throws Error when out of range.
    std::int64_t size(int dim) const { return impl_->shape.at(dim); }
    /// The number of elements.
    std::int64_t numel() const { return impl_->shape.numel(); }
    /// The size of the elements in bytes.
    std::size_t bytes() const { return static_cast<std::size_t>(numel()) * size_of(dtype()); }
    /// The element type.
    DType dtype() const { return impl_->dtype; }
    /// The device that stores the elements.
    Device device() const { return impl_->storage->device(); }
    /// The order of the elements in memory.
    Layout layout() const { return impl_->layout; }
    /// The number of in-place writes to the storage so far.
    std::uint64_t version() const { return impl_->storage->version(); }

    // ---- elements ----
    /// The address of the first element in memory order. Throws Error when T does not match the dtype. The host must
    /// not access the elements of a tensor on another device.
    template <class T>
    T* data() const;
    /// The address of the first element, untyped.
    void* raw() const;
    /// The elements in memory order. Throws Error unless they are on the CPU and of type T.
    template <class T>
    std::span<T> values() const {
        check_host("values");
        return {data<T>(), static_cast<std::size_t>(numel())};
    }
    /// The value of the only element as a double, for any dtype. Waits for the device. Throws Error unless there is
    /// exactly one element.
    double item() const;
    /// A copy of the elements in logical row-major order, converted to T. Waits for the device.
    template <class T>
    std::vector<T> to_vector() const;

    // ---- other forms; none of these is recorded on the tape ----
    /// A tensor with the same storage but without history, which requires no gradient.
    Tensor detach() const;
    /// A copy in new storage, without history.
    Tensor clone() const;
    /// A copy in `layout`, or the tensor itself if it already has that layout. If the order of the elements is the same
    /// in both layouts (one channel or one pixel), the result shares the storage. Throws Error when `layout` is
    /// channels_last and the rank is not 4.
    Tensor to(Layout layout) const;
    /// A copy on `device`, or the tensor itself if it is already there. Copying from a device waits for it; copying to
    /// a device does not.
    Tensor to(Device device) const;
    /// A copy converted to `dtype`, or the tensor itself if it already has that type.
    Tensor to(DType dtype) const;
    /// A tensor with the same storage and another shape. Throws Error when the number of elements differs, and when the
    /// shape of a channels_last tensor would change.
    Tensor view(const Shape& shape) const;
    /// Rows [begin, end) of dimension 0, in the same storage. Throws Error when they are out of range.
    Tensor rows(std::int64_t begin, std::int64_t end) const;
    /// Copies the elements of `source` into this tensor in place. The shapes must be equal; dtype and layout are
    /// converted.
    void copy_(const Tensor& source) const;
    /// Sets every element to `value`, in place.
    void fill_(double value) const;
    /// Must be called after writing through data(): tensors saved for backward that share the storage then become
    /// stale.
    void bump_version() const {
        impl_->storage->bump_version();
        WriteLog::note(impl_->storage);
    }
    /// Whether only this handle can access the elements, so that an op may overwrite them.
    bool exclusive() const { return impl_.use_count() == 1 && impl_->storage.use_count() == 1; }

    // ---- gradients ----
    /// Whether backward() computes a gradient for this tensor.
    bool requires_grad() const { return impl_->requires_grad; }
    /// Sets whether a leaf requires a gradient. Throws Error for the result of an op, and when `on` is true for an
    /// integer tensor.
    Tensor& set_requires_grad(bool on = true);
    /// The gradient after backward(); undefined before. Leaves only.
    Tensor grad() const { return Tensor(impl_->grad); }
    /// Replaces the gradient.
    void set_grad(const Tensor& grad) const { impl_->grad = grad.impl_; }
    /// Removes the gradient.
    void clear_grad() const { impl_->grad.reset(); }
    /// Differentiates this scalar with respect to every leaf that requires a gradient, and frees the graph. See
    /// radial::backward().
    void backward() const;

    /// The slice with index `i` along dimension 0, without that dimension: a view, recorded on the tape. Negative
    /// numbers count from the back. Throws Error when out of range.
    Tensor operator[](std::int64_t i) const;

    /// Type and shape, for messages: "float32[128, 10]". `stream << tensor` prints the elements.
    std::string str() const;

    /// The object to which the handle refers. For internal use.
    const std::shared_ptr<TensorImpl>& impl() const { return impl_; }

private:
    void check_host(std::string_view what) const;

    std::shared_ptr<TensorImpl> impl_;
};

/// Writes type, shape and elements, as in
///
///     float32[2, 3]
///     [[0.5, 1, -2],
///      [3, 4.25, 1e-05]]
///
/// with up to six significant digits. In a tensor of more than 1000 elements, only the first and last three of a
/// dimension longer than 8 are shown. Waits for the tensor's device.
std::ostream& operator<<(std::ostream& stream, const Tensor& tensor);

}  // namespace radial
