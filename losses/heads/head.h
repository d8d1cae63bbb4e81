// The engine of the softmax heads: processes the classes in blocks that fit the cache, forward and backward.
//
// For each block, the engine computes one product of features and class vectors and makes one pass over the result
// (rows.h). The products are kept from forward to backward, or computed again if HeadOptions::recompute is set. For
// squared distances, it works on rows relative to a point near the classes and turns the products into distances before
// they are used. The distance between a sample and the vector of its own class, and the gradient of this distance, are
// computed from the difference of the two vectors instead.
#pragma once

#include "radial/core/ops/common.h"
#include "radial/core/ops/distances.h"
#include "radial/core/ops/kernels/linear_algebra.h"
#include "radial/losses/functional.h"
#include "radial/losses/heads/logits.h"
#include "radial/losses/heads/rows.h"

#include <algorithm>

namespace radial::ops {

/// The inputs of a head.
struct HeadInputs {
    Tensor feature;  ///< [N, D] in the classes' dtype; undefined if the similarities are given
    Tensor classes;  ///< [C, D]; or the similarities [N, C] if they are given
    Tensor labels;   ///< int64 [N]
    HeadOptions options;

    std::int64_t batch() const { return labels.numel(); }
    std::int64_t count() const { return feature.defined() ? classes.size(0) : classes.size(1); }
    Device device() const { return classes.device(); }
    DType dtype() const { return classes.dtype(); }
};

/// The values that forward keeps for backward.
struct HeadState {
    Tensor x_numbers, w_numbers;  ///< the metric's number of each vector; undefined if it has none
    Tensor offset, centred;       ///< [D] and [N, D], for distances: common_offset(), and the features relative to it
    Tensor own;                   ///< [N], similarity of each sample to its own class
    Tensor top, share, rest;      ///< [N], see HeadSoftmax
    Tensor mean_weight;           ///< [1], mean of the class weights; undefined without them
    Tensor inverse_weight;        ///< [1], 1 / the sum of the samples' weights; undefined without them
    Tensor products;              ///< products of all blocks (or distances); undefined when they are recomputed
};

/// The gradients that backward must compute.
struct HeadNeeds {
    bool feature, classes, logit_sums, class_terms, angles;
};
struct HeadGrads {
    Tensor feature, classes;
    Tensor logit_sums;   ///< [N], sum over j of dL/dz_j * z_j
    Tensor class_terms;  ///< [C], see class_term() of the links
    Tensor angles;       ///< [N]
};

/// The tensors that a link reads, in the order in which an op records them.
struct LinkTensors {
    Tensor scale_factor, per_class, sample_angle;
};

/// Throws Error unless the options fit logits [N, classes] of the dtype and on the device of `like`.
void check_head_options(std::string_view op, const HeadOptions& options, std::int64_t classes, const Tensor& like);
/// Throws Error unless feature [N, D] and the class vectors [C, D], which messages call `name`, fit together.
void check_head_inputs(std::string_view op, const Tensor& feature, std::string_view name, const Tensor& classes);
/// Throws Error unless `x` is undefined or has shape [count] and the dtype and device of `like`.
void check_head_vector(std::string_view op, std::string_view name, const Tensor& x, std::int64_t count,
                       const Tensor& like);

/// The gradient of a factor: sums_i / by_i, or the sum of all sums / by if `by` has one element. 0 where `by` is 0.
Tensor factor_gradient(const Tensor& sums, const Tensor& by);

template <class T>
const T* data_or_null(const Tensor& x) {
    return x.defined() ? x.data<const T>() : nullptr;
}

template <class T, class Metric, class Link>
class HeadPass {
public:
    HeadPass(const HeadInputs& in, const Link& link) : in_(in), link_(link), target_{} {
        target_ = {.labels = in_.labels.data<const std::int64_t>(),
                   .classes = in_.count(),
                   .smoothing = static_cast<T>(in_.options.smoothing),
                   .class_weights = data_or_null<T>(in_.options.class_weights),
                   .mean_weight = nullptr};
    }

    /// Returns the loss, a scalar.
    Tensor forward(HeadState& state) {
        prepare(state);
        const std::int64_t batch = in_.batch();
        const Tensor tops = vector(), totals = Tensor::empty(Shape{batch}, DType::float64, in_.device());
        const Tensor spreads =
            in_.options.smoothing > 0 ? Tensor::empty(Shape{batch}, DType::float64, in_.device()) : Tensor();
        const kernels::HeadSums<T> sums{tops.template data<T>(), totals.template data<double>(),
                                        spreads.defined() ? spreads.template data<double>() : nullptr};
        kernels::map(in_.device(), batch, kernels::HeadStart<T>{sums});
        if (!given() && !in_.options.recompute)
            state.products = Tensor::empty(Shape{batch * in_.count()}, in_.dtype(), in_.device());
        const Tensor logits = scratch(), room = class_room();
        for (std::int64_t first = 0; first < in_.count(); first += width()) {
            const kernels::HeadBlock<T> block = block_at(first, class_rows(first, state, room), state, logits, true);
            kernels::rows(in_.device(), batch, block.width,
                          kernels::HeadForward<T, Metric, Link>{block, target_, link_, logits.template data<T>(), sums},
                          cost);
        }
        return finish(state, sums);
    }

    HeadGrads backward(const HeadState& state, const Tensor& upstream, const HeadNeeds& needs) {
        target_.mean_weight = data_or_null<T>(state.mean_weight);
        const kernels::HeadDerivative<T> derivative{softmax_of(state), upstream.data<const T>(),
                                                    data_or_null<T>(state.inverse_weight),
                                                    T{1} / static_cast<T>(in_.batch())};
        HeadGrads grads;
        if (needs.feature) grads.feature = Tensor::empty_like(in_.feature);
        if (needs.classes || given()) grads.classes = Tensor::empty_like(in_.classes);
        if (needs.class_terms) grads.class_terms = Tensor::empty(Shape{in_.count()}, in_.dtype(), in_.device());
        if (needs.logit_sums) grads.logit_sums = zeros(in_.dtype());
        if (needs.angles) angle_gradient(state, derivative, grads.angles = vector());
        const Tensor own_pulls = distance ? zeros(in_.dtype()) : Tensor();
        const Tensor pull_sums = distance && needs.feature ? zeros(DType::float64) : Tensor();
        const Tensor products = given() || state.products.defined() ? Tensor() : scratch();
        const Tensor pulls = given() ? grads.classes : scratch(), room = class_room();
        for (std::int64_t first = 0; first < in_.count(); first += width()) {
            const Tensor rows = class_rows(first, state, room);
            const kernels::HeadBlock<T> block = block_at(first, rows, state, products, !state.products.defined());
            const std::int64_t stride = given() ? in_.count() : block.width;
            T* const out = pulls.template data<T>() + (given() ? first : 0);
            kernels::rows(in_.device(), in_.batch(), block.width,
                          kernels::HeadBackward<T, Metric, Link>{
                              block, target_, link_, derivative, out, stride,
                              own_pulls.defined() ? own_pulls.template data<T>() : nullptr,
                              pull_sums.defined() ? pull_sums.template data<double>() : nullptr,
                              needs.logit_sums ? grads.logit_sums.template data<T>() : nullptr},
                          cost);
            if (needs.class_terms) class_terms(block, out, stride, own_pulls, grads.class_terms);
            if (!given()) gather(block, rows, state, pulls, needs, grads);
        }
        end_gradients(state, own_pulls, pull_sums, needs, grads);
        return grads;
    }

private:
    static constexpr std::int64_t cost = 8;  // of an element: about one or two calls of exp(), in plain operations
    static constexpr bool distance = std::is_same_v<Metric, kernels::SquaredDistance>;
    static constexpr bool cosine = std::is_same_v<Metric, kernels::Cosine>;

    bool given() const { return !in_.feature.defined(); }
    Tensor vector() const { return Tensor::empty(Shape{in_.batch()}, in_.dtype(), in_.device()); }
    Tensor zeros(DType dtype) const { return Tensor::zeros(Shape{in_.batch()}, dtype, in_.device()); }
    kernels::HeadSoftmax<T> softmax_of(const HeadState& state) const {
        return {state.top.template data<T>(), state.share.template data<T>(), state.rest.template data<T>()};
    }

    /// The number of classes in a block: as many as fit a core's cache, or, on a GPU, as make a kernel launch
    /// worthwhile. Depends only on the sizes and the kind of device.
    std::int64_t width() const {
        const std::int64_t elements = std::int64_t{1} << (in_.device().kind == Device::Kind::cpu ? 18 : 24);
        constexpr std::int64_t step = 64;
        // For distances, the class vectors of a block are copied, and may be larger than the block of distances.
        const std::int64_t each = std::max<std::int64_t>({1, in_.batch(), distance ? in_.classes.size(1) / 4 : 0});
        return std::min(in_.count(), std::max<std::int64_t>(elements / each / step * step, 4 * step));
    }
    Tensor scratch() const { return Tensor::empty(Shape{in_.batch() * width()}, in_.dtype(), in_.device()); }

    Tensor inverse_lengths(const Tensor& x) const {
        const Tensor result = Tensor::empty(Shape{x.size(0)}, in_.dtype(), in_.device());
        kernels::rows(in_.device(), x.size(0), x.size(1),
                      kernels::RowLengths<T, kernels::LengthForm::inverse>{x.data<const T>(), result.template data<T>(),
                                                                           x.size(1)});
        return result;
    }

    void prepare(HeadState& state) {
        if constexpr (cosine) {
            state.x_numbers = inverse_lengths(in_.feature);
            state.w_numbers = inverse_lengths(in_.classes);
        }
        if constexpr (distance) {
            state.offset = common_offset(in_.classes);
            state.centred = Tensor::empty_like(in_.feature);
            state.x_numbers = vector();
            state.w_numbers = Tensor::empty(Shape{in_.count()}, in_.dtype(), in_.device());
            centre_rows(in_.feature, state.offset, state.centred, state.x_numbers);
        }
        state.own = vector();
        T* const own = state.own.template data<T>();
        const std::int64_t batch = in_.batch(), classes = in_.count();
        if (given()) {
            kernels::map(in_.device(), batch,
                         kernels::OwnElement<T>{in_.classes.template data<const T>(), target_.labels, own, classes});
        } else {
            const T *const x = in_.feature.template data<const T>(), *const w = in_.classes.template data<const T>();
            const std::int64_t dim = in_.feature.size(1);
            if constexpr (distance) {
                kernels::rows(in_.device(), batch, dim,
                              kernels::OwnDistance<T>{x, w, target_.labels, own, classes, dim});
            } else {
                kernels::rows(in_.device(), batch, dim,
                              kernels::OwnSimilarity<T, Metric>{x, w, target_.labels, data_or_null<T>(state.x_numbers),
                                                                data_or_null<T>(state.w_numbers), own, classes, dim});
            }
        }
        if (target_.class_weights == nullptr) return;
        state.mean_weight = Tensor::empty(Shape{1}, in_.dtype(), in_.device());
        kernels::reduce(in_.device(), classes, kernels::Element<T>{target_.class_weights},
                        1.0 / static_cast<double>(classes), state.mean_weight.template data<T>());
        target_.mean_weight = state.mean_weight.template data<T>();
    }

    // Memory for the class_rows() of one block.
    Tensor class_room() const {
        if (!distance) return {};
        return Tensor::empty(Shape{width(), in_.classes.size(1)}, in_.dtype(), in_.device());
    }
    // The class vectors of the block that starts at `first`, as the products read them; undefined if the similarities
    // are given.
    Tensor class_rows(std::int64_t first, const HeadState& state, const Tensor& room) const {
        if (given()) return {};
        const std::int64_t end = std::min(first + width(), in_.count());
        const Tensor rows = in_.classes.rows(first, end);
        if (!distance) return rows;
        const Tensor centred = room.rows(0, end - first);
        centre_rows(rows, state.offset, centred, state.w_numbers.rows(first, end));
        return centred;
    }

    // The input of the metric for the block that starts at `first`: the kept products, or else those in `buffer`. If
    // `form` is set, they are first computed from `rows`, the block's class_rows().
    kernels::HeadBlock<T> block_at(std::int64_t first, const Tensor& rows, const HeadState& state, const Tensor& buffer,
                                   bool form) {
        const std::int64_t batch = in_.batch(), end = std::min(first + width(), in_.count()), columns = end - first;
        kernels::HeadBlock<T> block{.products = nullptr,
                                    .first = first,
                                    .width = columns,
                                    .stride = columns,
                                    .x_numbers = cosine ? data_or_null<T>(state.x_numbers) : nullptr,
                                    .w_numbers = cosine ? data_or_null<T>(state.w_numbers) : nullptr,
                                    .own = state.own.data<const T>()};
        if (given()) {
            block.products = in_.classes.template data<const T>() + first;
            block.stride = in_.count();
            return block;
        }
        const bool kept = state.products.defined();
        const Tensor place = (kept ? state.products.rows(batch * first, batch * end) : buffer.rows(0, batch * columns))
                                 .view(Shape{batch, columns});
        if (form) form_block(first, rows, state, place);
        block.products = place.template data<const T>();
        return block;
    }

    void form_block(std::int64_t first, const Tensor& rows, const HeadState& state, const Tensor& place) {
        const std::int64_t end = first + place.size(1);
        const Tensor x = in_.feature, w = in_.classes.rows(first, end);
        // If there are only a few pairs, they are computed one by one, in the same way as each sample's similarity to
        // its own class, so that equal vectors give exactly equal results.
        const bool few = few_pairs(x, w);
        if (distance && few) {
            distances_by_differences(x, w, place);
        } else if (distance) {
            distances_by_product(x, w, {state.centred, rows, state.x_numbers, state.w_numbers.rows(first, end)}, place);
        } else if (few) {
            products_by_pairs(x, w, place);
        } else {
            backend_for(in_.device(), in_.dtype()).gemm(false, true, 1.0, in_.feature, rows, 0.0, place);
        }
    }

    Tensor finish(HeadState& state, const kernels::HeadSums<T>& sums) {
        const std::int64_t batch = in_.batch();
        const Device device = in_.device();
        state.top = vector();
        state.share = vector();
        state.rest = vector();
        const Tensor losses = vector(), weights = vector(), loss = Tensor::empty(Shape{}, in_.dtype(), device);
        kernels::map(
            device, batch,
            kernels::HeadFinish<T, Link>{target_, sums, link_, state.own.template data<const T>(), softmax_of(state),
                                         losses.template data<T>(), weights.template data<T>()});
        const kernels::Element<T> each{losses.template data<const T>()};
        if (target_.class_weights == nullptr) {
            kernels::reduce(device, batch, each, 1.0 / static_cast<double>(batch), loss.template data<T>());
            return loss;
        }
        const Tensor total = Tensor::empty(Shape{1}, in_.dtype(), device),
                     sum = Tensor::empty(Shape{1}, in_.dtype(), device);
        state.inverse_weight = Tensor::empty(Shape{1}, in_.dtype(), device);
        kernels::reduce(device, batch, kernels::Element<T>{weights.template data<const T>()}, 1.0,
                        total.template data<T>());
        kernels::map(device, 1,
                     kernels::InverseOf<T>{total.template data<const T>(), state.inverse_weight.template data<T>()});
        kernels::reduce(device, batch, each, 1.0, sum.template data<T>());
        kernels::map(device, 1,
                     kernels::ProductOf<T>{sum.template data<const T>(), state.inverse_weight.template data<const T>(),
                                           loss.template data<T>()});
        return loss;
    }

    void angle_gradient(const HeadState& state, const kernels::HeadDerivative<T>& derivative, const Tensor& angles) {
        if constexpr (requires(typename Link::Row row) { row.own; }) {
            kernels::map(in_.device(), in_.batch(),
                         kernels::HeadAngleGradient<T, Link>{target_, link_, derivative, state.own.data<const T>(),
                                                             angles.template data<T>()});
        }
    }

    void class_terms(const kernels::HeadBlock<T>& block, const T* pulls, std::int64_t stride, const Tensor& own_pulls,
                     const Tensor& terms) {
        kernels::reduce_columns(in_.device(), in_.batch(), block.width,
                                kernels::HeadClassTerm<T, Metric, Link>{block, target_.labels, link_, pulls, stride,
                                                                        data_or_null<T>(own_pulls)},
                                kernels::StoreSum<T>{terms.template data<T>() + block.first});
    }

    // Turns the pulls of a block into the gradient of its classes, and adds their contribution to the gradient of the
    // features. `rows` are the block's class_rows().
    void gather(const kernels::HeadBlock<T>& block, const Tensor& rows, const HeadState& state, const Tensor& scratch,
                const HeadNeeds& needs, const HeadGrads& grads) {
        const std::int64_t batch = in_.batch(), end = block.first + block.width, dim = in_.classes.size(1);
        const Tensor pulls = scratch.rows(0, batch * block.width).view(Shape{batch, block.width});
        Backend& backend = backend_for(in_.device(), in_.dtype());
        if (needs.feature) backend.gemm(false, false, 1.0, pulls, rows, block.first == 0 ? 0.0 : 1.0, grads.feature);
        if (!needs.classes) return;
        const Tensor grad = grads.classes.rows(block.first, end);
        backend.gemm(true, false, 1.0, pulls, distance ? state.centred : in_.feature, 0.0, grad);
        if constexpr (distance) {
            const Tensor sums = Tensor::empty(Shape{block.width}, in_.dtype(), in_.device());
            kernels::reduce_columns(in_.device(), batch, block.width,
                                    kernels::MatrixElement<T>{pulls.template data<const T>(), block.width},
                                    kernels::StoreSum<T>{sums.template data<T>()});
            kernels::map2(in_.device(), block.width, dim,
                          kernels::SubtractScaledRows<T>{grad.data<T>(), sums.template data<const T>(),
                                                         rows.data<const T>(), T{1}, dim});
        }
        if constexpr (cosine) project_out(grad, rows, state.w_numbers.rows(block.first, end));
    }

    // Once all blocks are done, turns the sums of pull * other vector into the gradients of the metric.
    void end_gradients(const HeadState& state, const Tensor& own_pulls, const Tensor& pull_sums, const HeadNeeds& needs,
                       const HeadGrads& grads) {
        if constexpr (distance) {
            const std::int64_t batch = in_.batch(), dim = in_.classes.size(1);
            const T *const x = in_.feature.template data<const T>(), *const w = in_.classes.template data<const T>();
            const T* const pulls = own_pulls.template data<const T>();
            if (needs.feature) {
                kernels::map2(in_.device(), batch, dim,
                              kernels::EndFeatureGradient<T>{
                                  grads.feature.template data<T>(), state.centred.template data<const T>(), x, w,
                                  target_.labels, pull_sums.template data<const double>(), pulls, in_.count(), dim});
            }
            if (needs.classes) {
                kernels::rows(in_.device(), batch, dim,
                              kernels::AddOwnPulls<T>{x, w, pulls, target_.labels, grads.classes.template data<T>(),
                                                      batch, in_.count(), dim});
            }
        }
        if constexpr (cosine) {
            if (needs.feature) project_out(grads.feature, in_.feature, state.x_numbers);
        }
    }

    void project_out(const Tensor& grad, const Tensor& point, const Tensor& inverse_lengths) {
        const std::int64_t dim = point.size(1);
        kernels::rows(
            in_.device(), point.size(0), dim,
            kernels::ProjectOut<T>{grad.data<T>(), point.data<const T>(), inverse_lengths.data<const T>(), dim});
    }

    const HeadInputs& in_;
    Link link_;
    kernels::HeadTarget<T> target_;
};

/// One head as an op: the loss, recorded with the gradients of feature, classes and the link's tensors. `feature` is
/// the op's argument, before it was converted to in.feature.
///
/// A Maker builds the link for an element type: `with<T>(tensors, f)` calls f(link). Its per_class_is_factor says
/// whether tensors.per_class is a factor (a gamma) or a summand (a bias).
template <class Metric, class Maker>
Tensor head_op(std::string_view op, const HeadInputs& in, const Tensor& feature, const LinkTensors& tensors,
               const Maker& maker, HeadState* state_out = nullptr) {
    HeadState state;
    Tensor loss;
    dispatch_floating(in.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        maker.template with<T>(tensors, [&](const auto& link) {
            loss = HeadPass<T, Metric, std::decay_t<decltype(link)>>(in, link).forward(state);
        });
    });
    if (state_out != nullptr) *state_out = state;
    const DType dtype = feature.defined() ? feature.dtype() : in.dtype();
    return record(op, loss, {feature, in.classes, tensors.scale_factor, tensors.per_class, tensors.sample_angle},
                  [x = Saved(in.feature, op, "feature"), w = Saved(in.classes, op, "class vectors"), labels = in.labels,
                   options = in.options, scale = Saved(tensors.scale_factor, op, "scale factor"),
                   per_class = Saved(tensors.per_class, op, "number of each class"),
                   angle = Saved(tensors.sample_angle, op, "angle of each sample"), state = std::move(state), maker,
                   dtype, op](const Tensor& dy, Needs needs) -> Grads {
                      const HeadInputs inputs{x.get(), w.get(), labels, options};
                      const LinkTensors read{scale.get(), per_class.get(), angle.get()};
                      HeadGrads grads;
                      dispatch_floating(inputs.dtype(), op, [&](auto zero) {
                          using T = decltype(zero);
                          maker.template with<T>(read, [&](const auto& link) {
                              grads = HeadPass<T, Metric, std::decay_t<decltype(link)>>(inputs, link)
                                          .backward(state, dy, {needs[0], needs[1], needs[2], needs[3], needs[4]});
                          });
                      });
                      Grads all(5);
                      if (needs[0]) all[0] = grads.feature.to(dtype);
                      all[1] = grads.classes;
                      if (needs[2]) all[2] = factor_gradient(grads.logit_sums, read.scale_factor);
                      if (needs[3]) {
                          all[3] = Maker::per_class_is_factor ? factor_gradient(grads.class_terms, read.per_class)
                                                              : grads.class_terms;
                      }
                      all[4] = grads.angles;
                      return all;
                  });
}

}  // namespace radial::ops
