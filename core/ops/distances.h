// Inner products and squared distances of all pairs of rows, by one matrix product or, for few rows, pair by pair.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial::ops {

/// A reference point [D] near the rows of `points` [M, D]: their mean (of some 1000 to 2000 evenly spaced ones if there
/// are more), with 0 in each coordinate whose standard deviation is larger than the magnitude of its mean. Subtracting
/// it before a computation avoids cancellation when all rows lie close together and far from the origin.
Tensor common_offset(const Tensor& points);
/// Writes x - offset, row by row, to `out` [M, D], and the squared length of each resulting row to `squares` [M].
void centre_rows(const Tensor& x, const Tensor& offset, const Tensor& out, const Tensor& squares);

/// Rows x [N, D] and w [C, D] with a common offset subtracted, and their squared lengths [N] and [C].
struct CentredRows {
    Tensor x, w, x_squares, w_squares;
};
/// Subtracts common_offset(w) from the rows of x and of w.
CentredRows centred(const Tensor& x, const Tensor& w);

/// Writes |x_i - w_j|^2 to `out` [N, C], computed from the product of the centred rows. Where a squared distance is
/// much smaller than the squared lengths of the centred rows, it is computed from the differences of x and w instead.
void distances_by_product(const Tensor& x, const Tensor& w, const CentredRows& centred, const Tensor& out);
/// Writes |x_i - w_j|^2 to `out` [N, C], with every distance computed from differences.
void distances_by_differences(const Tensor& x, const Tensor& w, const Tensor& out);

/// Writes <x_i, w_j> to `out` [N, C]. Each pair is computed separately, in double.
void products_by_pairs(const Tensor& x, const Tensor& w, const Tensor& out);

/// Whether x [N, D] and w [C, D] have so few pairs of rows that each pair should be computed separately, in double.
bool few_pairs(const Tensor& x, const Tensor& w);

}  // namespace radial::ops
