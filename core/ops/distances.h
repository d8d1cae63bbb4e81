// Products and squared distances of all pairs of rows: by one matrix product, or pair by pair where the rows are few.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial::ops {

/// A point [D] among the rows of `points` [M, D], 0 along coordinates whose spread is larger than their mean. What is
/// computed from rows relative to it loses no digits where all of them lie together far from the origin.
Tensor common_offset(const Tensor& points);
/// x - offset, row by row, into `out` [M, D], and the squared length of each row of that into `squares` [M].
void centre_rows(const Tensor& x, const Tensor& offset, const Tensor& out, const Tensor& squares);

/// Rows x [N, D] and w [C, D] relative to one offset, and the squared lengths of these, [N] and [C].
struct CentredRows {
    Tensor x, w, x_squares, w_squares;
};
/// Both relative to the common_offset() of w.
CentredRows centred(const Tensor& x, const Tensor& w);

/// |x_i - w_j|^2 into `out` [N, C]: by the product of the centred rows, and where a distance is far below their squared
/// lengths from the differences of x and w themselves.
void distances_by_product(const Tensor& x, const Tensor& w, const CentredRows& centred, const Tensor& out);
/// The same from all differences.
void distances_by_differences(const Tensor& x, const Tensor& w, const Tensor& out);

/// <x_i, w_j> into `out` [N, C], each pair by itself, in double.
void products_by_pairs(const Tensor& x, const Tensor& w, const Tensor& out);

/// Whether so few pairs of rows x [N, D] and w [C, D] are best taken one by one, in double, as a pair by itself is.
bool few_pairs(const Tensor& x, const Tensor& w);

}  // namespace radial::ops
