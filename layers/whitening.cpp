// Computes whitening kernels from the eigenvectors of the second moments of image patches.
#include "radial/layers/whitening.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/distributed/communicator.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

#include <Eigen/Eigenvalues>

#include <cmath>
#include <vector>

namespace radial {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The mean of p p^T over all patches p of float64 images, as a matrix [d, d].
Matrix second_moments(const Tensor& images, Size2d kernel) {
    const std::int64_t channels = images.size(1), height = images.size(2), width = images.size(3);
    const std::int64_t down = height - kernel.h + 1, across = width - kernel.w + 1;
    Matrix sum = Matrix::Zero(channels * kernel.h * kernel.w, channels * kernel.h * kernel.w);
    // Each column is one of the patches that begin in the same row of the image; each row of the matrix is one offset
    // in a patch.
    Matrix patches(sum.rows(), across);
    const double* const pixels = images.data<double>();
    for (std::int64_t n = 0; n < images.size(0); ++n) {
        for (std::int64_t y = 0; y < down; ++y) {
            std::int64_t row = 0;
            for (std::int64_t c = 0; c < channels; ++c)
                for (std::int64_t i = 0; i < kernel.h; ++i)
                    for (std::int64_t j = 0; j < kernel.w; ++j, ++row)
                        std::copy_n(pixels + ((n * channels + c) * height + y + i) * width + j, across,
                                    patches.row(row).data());
            sum.noalias() += patches * patches.transpose();
        }
    }
    return sum / static_cast<double>(images.size(0) * down * across);
}

/// Returns the whitening kernels for second moments [d, d], one per row: float32 [d, d].
Tensor kernels_of(const Matrix& moments, double epsilon) {
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(moments);
    const std::int64_t size = moments.rows();
    std::vector<float> kernels;
    for (std::int64_t k = size - 1; k >= 0; --k) {  // Eigen sorts eigenvalues in ascending order
        const Eigen::VectorXd vector = solver.eigenvectors().col(k);
        Eigen::Index largest = 0;
        vector.cwiseAbs().maxCoeff(&largest);
        const double length = std::sqrt(std::max(solver.eigenvalues()[k], 0.0) + epsilon);
        for (const double value : vector)
            kernels.push_back(static_cast<float>(std::copysign(1.0, vector[largest]) * value / length));
    }
    return Tensor::from(kernels, {size, size}, Device{});
}

void check_images(const Tensor& images, Size2d kernel) {
    check_image_input("whitening_kernels", images);
    RADIAL_CHECK(images.size(0) > 0 && images.size(2) >= kernel.h && images.size(3) >= kernel.w,
                 "whitening_kernels: images {} have no patches of {} x {}", images.shape().str(), kernel.h, kernel.w);
}

/// second_moments() of images of any floating type on any device, as float64 [d, d] on the CPU.
Tensor moments_of(const Tensor& images, Size2d kernel) {
    const Tensor pixels = cast(images.detach(), DType::float64).to(Device{}).to(Layout::row_major);
    const Matrix moments = second_moments(pixels, kernel);
    RADIAL_CHECK(moments.allFinite(), "whitening_kernels: the images contain NaN or infinity");
    return Tensor::from(std::vector<double>(moments.data(), moments.data() + moments.size()),
                        {moments.rows(), moments.cols()}, Device{});
}

Matrix matrix_of(const Tensor& x) { return Eigen::Map<const Matrix>(x.data<double>(), x.size(0), x.size(1)); }

}  // namespace

Tensor whitening_kernels(const Tensor& images, Size2d kernel, double epsilon) {
    check_images(images, kernel);
    const Tensor rows = kernels_of(matrix_of(moments_of(images, kernel)), epsilon);
    return rows.view({rows.size(0), images.size(1), kernel.h, kernel.w});
}

WhiteningConv2d::WhiteningConv2d(const WhiteningConv2dOptions& options)
    : options_(options), first_(register_buffer("started", Tensor::zeros({1}), BufferKind::state)) {
    RADIAL_CHECK(options_.in_channels >= 1 && options_.kernel.h >= 1 && options_.kernel.w >= 1,
                 "WhiteningConv2d: in_channels {} and the kernel {} x {} must each be at least 1", options_.in_channels,
                 options_.kernel.h, options_.kernel.w);
    check_above_zero("WhiteningConv2d", "epsilon", options_.epsilon);
    const std::int64_t outputs = 2 * options_.in_channels * options_.kernel.h * options_.kernel.w;
    weight_ =
        register_buffer("weight", Tensor::empty({outputs, options_.in_channels, options_.kernel.h, options_.kernel.w}),
                        BufferKind::state);
    init::kaiming_uniform_(weight_, std::sqrt(1.0 / 3.0));
    bias_ = register_parameter("bias", Tensor::zeros({outputs}));
}

void WhiteningConv2d::whiten(const Tensor& x) {
    const NoGrad no_grad;
    const std::int64_t size = bias_.numel() / 2;
    // Each rank sends its moments and, in one more row, the number of its images, by which they are weighted. All ranks
    // compute the mean from the same numbers, so they get the same kernels.
    const Tensor images = Tensor::full({1, size}, static_cast<double>(x.size(0)), DType::float64, Device{});
    const Tensor own = concat({moments_of(x, options_.kernel), images}, 0);
    const Tensor all = rows_of_all_ranks(own.to(x.device())).to(Device{});
    Matrix sum = Matrix::Zero(size, size);
    double weights = 0;
    for (std::int64_t row = 0; row < all.size(0); row += size + 1) {
        const double weight = matrix_of(all.rows(row + size, row + size + 1))(0, 0);
        sum += weight * matrix_of(all.rows(row, row + size));
        weights += weight;
    }
    const Tensor kernels = kernels_of(sum / weights, options_.epsilon);
    weight_.copy_(cast(reshape(concat({kernels, -kernels}, 0), weight_.shape()), weight_.dtype()).to(weight_.device()));
}

Tensor WhiteningConv2d::forward(Tensor x) {
    check_image_input("WhiteningConv2d", x);
    RADIAL_CHECK(x.size(1) == options_.in_channels, "WhiteningConv2d: input has {} channels, expected {}", x.size(1),
                 options_.in_channels);
    RADIAL_CHECK(x.size(2) >= options_.kernel.h && x.size(3) >= options_.kernel.w,
                 "WhiteningConv2d: input {} is smaller than the kernel {} x {}", x.shape().str(), options_.kernel.h,
                 options_.kernel.w);
    if (x.size(0) > 0 && first_.begins(training())) whiten(x);
    return conv2d(x, weight_, bias_);
}

}  // namespace radial
