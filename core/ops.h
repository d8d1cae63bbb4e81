// All general differentiable ops: free functions that compute tensors from tensors and are recorded on the tape.
//
// Shapes are logical; x is [N, C, H, W] for ops that refer to channels. Every op accepts float32 and float64 in either
// layout, requires all its tensors to have one dtype and device unless its comment says otherwise, and throws Error,
// naming the op and the shapes, when its arguments do not fit. Results have the dtype and device of the inputs. All ops
// but median() and the distances, cosines, lengths and normalisation of rows also accept bfloat16; elementwise ops,
// activations, reductions and shape ops then compute in float32 (sums in float64) and round the result.
//
// The fused ops of losses are in losses/functional.h.
#pragma once

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops/activation.h"
#include "radial/core/ops/attention.h"
#include "radial/core/ops/compare.h"
#include "radial/core/ops/conv.h"
#include "radial/core/ops/create.h"
#include "radial/core/ops/elementwise.h"
#include "radial/core/ops/index.h"
#include "radial/core/ops/interpolate.h"
#include "radial/core/ops/linear_algebra.h"
#include "radial/core/ops/norm.h"
#include "radial/core/ops/reduce.h"
#include "radial/core/ops/scan.h"
#include "radial/core/ops/shape.h"
#include "radial/core/ops/softmax.h"
#include "radial/core/ops/sort.h"
#include "radial/core/ops/unfold.h"
