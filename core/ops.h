// Every differentiable op of general use: free functions from tensors to tensors, recorded on the tape.
//
// Shapes are logical; x is [N, C, H, W] where an op speaks of channels. Every op accepts float32 and float64 in
// either layout, takes all its tensors in one dtype on one device, and throws Error, naming itself and the shapes,
// when they do not fit. Results have the inputs' dtype and device. Elementwise ops, activations, reductions and shape
// ops accept bfloat16 too; they compute in float32 (sums in float64) and round the result.
//
// The fused ops of losses are in losses/functional.h.
#pragma once

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops/activation.h"
#include "radial/core/ops/compare.h"
#include "radial/core/ops/conv.h"
#include "radial/core/ops/elementwise.h"
#include "radial/core/ops/linear_algebra.h"
#include "radial/core/ops/norm.h"
#include "radial/core/ops/pool.h"
#include "radial/core/ops/reduce.h"
#include "radial/core/ops/shape.h"
#include "radial/core/ops/softmax.h"
