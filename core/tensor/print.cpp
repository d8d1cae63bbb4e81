// Printing tensors.
#include "radial/core/tensor/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <vector>

namespace radial {
namespace {

/// Writes the part of a tensor that lies below one index after the other.
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
    // Rows stand below each other, matrices with a line between them.
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
