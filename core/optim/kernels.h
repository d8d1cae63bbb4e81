// Kernels of the optimizers: the update of an element, the step-dependent factors, and gradient clipping.
//
// Learning rates, step counts and factors are read from device memory, so that a step recorded as a graph uses their
// current values.
#pragma once

#include "radial/core/kernels/host_device.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// One parameter updated by Sgd.
template <class T>
struct SgdItem {
    T* w;
    const T* g;
    T* v;  ///< null without momentum
    std::int64_t count;
    double lr_scale;
    T decay;
};

/// w -= rate * (g + decay * w)
template <class T>
struct SgdStep {
    const double* lr;
    RADIAL_HD void operator()(const SgdItem<T>& item, std::int64_t i) const {
        const T rate = static_cast<T>(*lr * item.lr_scale);
        item.w[i] -= rate * (item.g[i] + item.decay * item.w[i]);
    }
};

/// v = momentum * v + g + decay * w;  w -= rate * (nesterov ? g + decay * w + momentum * v : v)
template <class T, bool Nesterov>
struct SgdMomentumStep {
    const double* lr;
    T momentum;
    RADIAL_HD void operator()(const SgdItem<T>& item, std::int64_t i) const {
        const T rate = static_cast<T>(*lr * item.lr_scale);
        const T weight = item.w[i];
        const T decayed = item.g[i] + item.decay * weight;
        const T velocity = momentum * item.v[i] + decayed;
        item.v[i] = velocity;
        item.w[i] = weight - rate * (Nesterov ? decayed + momentum * velocity : velocity);
    }
};

/// The values that an Adam update needs besides the elements.
struct AdamFactors {
    double rate;    ///< lr / (1 - beta1^t)
    double root;    ///< sqrt(1 - beta2^t)
    double shrink;  ///< factor of the weights: 1 - lr * decay with decoupled decay, else 1
};

/// The step count of one parameter, as an item with one element.
struct AdamCount {
    std::int64_t* steps;
    AdamFactors* factors;
    std::int64_t count;
    double lr_scale, decoupled_decay;
};

/// Increments the step count of a parameter and computes its factors.
struct AdamCountStep {
    const double* lr;
    double beta1, beta2;
    RADIAL_HD void operator()(const AdamCount& item, std::int64_t) const {
        const std::int64_t steps = *item.steps + 1;
        *item.steps = steps;
        const double t = static_cast<double>(steps), scaled = *lr * item.lr_scale;
        *item.factors = {scaled / (1 - std::pow(beta1, t)), std::sqrt(1 - std::pow(beta2, t)),
                         1 - scaled * item.decoupled_decay};
    }
};

/// One parameter updated by Adam.
template <class T>
struct AdamItem {
    T* w;
    const T* g;
    T *m, *v;
    const AdamFactors* factors;
    std::int64_t count;
    T decay;  ///< added to the gradient
};

/// slope = g + decay w;  m += new1 (slope - m);  v = keep2 v + new2 slope^2;
/// w = w shrink - rate m / (sqrt(v) / root + epsilon)
template <class T>
struct AdamStep {
    T new1, keep2, new2, epsilon;
    RADIAL_HD void operator()(const AdamItem<T>& item, std::int64_t i) const {
        const T rate = static_cast<T>(item.factors->rate), root = static_cast<T>(item.factors->root);
        const T weight = item.w[i];
        const T kept = weight * static_cast<T>(item.factors->shrink);
        const T slope = item.g[i] + item.decay * weight;
        const T first = item.m[i] + new1 * (slope - item.m[i]);
        const T second = keep2 * item.v[i] + new2 * slope * slope;
        item.m[i] = first;
        item.v[i] = second;
        item.w[i] = kept - rate * first / (std::sqrt(second) / root + epsilon);
    }
};

/// The values that an update of Lamb needs besides the elements.
struct LambFactors {
    double bias1, root;     ///< 1 - beta1^t and sqrt(1 - beta2^t)
    double weight, update;  ///< sums of squares of the weights and of their update
    double rate;            ///< learning rate, multiplied by the trust ratio
};

/// The step count and the rate of one parameter, as an item with one element.
struct LambCount {
    std::int64_t* steps;
    LambFactors* factors;
    std::int64_t count;
    double lr_scale;
    bool adapts;  ///< uses the trust ratio
};

/// Increments the step count of a parameter and computes its bias corrections.
struct LambCountStep {
    double beta1, beta2;
    RADIAL_HD void operator()(const LambCount& item, std::int64_t) const {
        const std::int64_t steps = *item.steps + 1;
        *item.steps = steps;
        const double t = static_cast<double>(steps);
        item.factors->bias1 = 1 - std::pow(beta1, t);
        item.factors->root = std::sqrt(1 - std::pow(beta2, t));
        item.factors->weight = item.factors->update = 0;
    }
};

/// Computes the rate from the sums of squares.
struct LambRate {
    const double* lr;
    bool clips;  ///< limits the trust ratio to 1
    RADIAL_HD void operator()(const LambCount& item, std::int64_t) const {
        double trust = 1;
        if (item.adapts && item.factors->weight > 0 && item.factors->update > 0)
            trust = std::sqrt(item.factors->weight) / std::sqrt(item.factors->update);
        if (clips && trust > 1) trust = 1;
        item.factors->rate = *lr * item.lr_scale * trust;
    }
};

/// One parameter updated by Lamb.
template <class T>
struct LambItem {
    T* w;
    const T* g;
    T *m, *v;
    const LambFactors* factors;
    std::int64_t count;
    T decay, epsilon;
    /// Element i of the update before the trust ratio.
    RADIAL_HD T update(std::int64_t i) const {
        const T bias1 = static_cast<T>(factors->bias1), root = static_cast<T>(factors->root);
        return m[i] / bias1 / (std::sqrt(v[i]) / root + epsilon) + decay * w[i];
    }
};

/// m += new1 (g - m);  v = keep2 v + new2 g^2
template <class T>
struct LambAverage {
    T new1, keep2, new2;
    RADIAL_HD void operator()(const LambItem<T>& item, std::int64_t i) const {
        const T slope = item.g[i];
        item.m[i] += new1 * (slope - item.m[i]);
        item.v[i] = keep2 * item.v[i] + new2 * slope * slope;
    }
};

template <class T>
struct LambSquaredWeight {
    LambItem<T> item;
    RADIAL_HD double operator()(std::int64_t i) const {
        const double value = static_cast<double>(item.w[i]);
        return value * value;
    }
};

template <class T>
struct LambSquaredUpdate {
    LambItem<T> item;
    RADIAL_HD double operator()(std::int64_t i) const {
        const double value = static_cast<double>(item.update(i));
        return value * value;
    }
};

/// w -= rate * update
template <class T>
struct LambStep {
    RADIAL_HD void operator()(const LambItem<T>& item, std::int64_t i) const {
        item.w[i] -= static_cast<T>(item.factors->rate) * item.update(i);
    }
};

/// A parameter of Muon with its momentum and its update.
template <class T>
struct MuonItem {
    T* w;
    const T* g;
    T* m;
    T* u;
};

/// m += fresh (g - m);  u = ahead g + (1 - ahead) m
template <class T>
struct MuonMomentum {
    MuonItem<T> item;
    T fresh, ahead;
    RADIAL_HD void operator()(std::int64_t i) const {
        const T slope = item.g[i], mean = item.m[i] + fresh * (slope - item.m[i]);
        item.m[i] = mean;
        item.u[i] = mean + ahead * (slope - mean);
    }
};

template <class T>
struct MuonSquare {
    const T* x;
    RADIAL_HD double operator()(std::int64_t i) const {
        const double value = static_cast<double>(x[i]);
        return value * value;
    }
};

/// out = factor x
template <class T>
struct MuonScaled {
    T* out;
    const T* x;
    const double* factor;
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = static_cast<T>(*factor) * x[i]; }
};

/// *factor = 1 / max(|u|, epsilon) from the sum of the squares of u.
struct MuonNorm {
    const double* sum;
    double epsilon;
    double* factor;
    RADIAL_HD void operator()(std::int64_t) const {
        const double norm = std::sqrt(*sum);
        *factor = 1 / (norm < epsilon ? epsilon : norm);  // NaN stays NaN
    }
};

/// out = a x + b y
template <class T>
struct MuonMix {
    T* out;
    const T *x, *y;
    T a, b;
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = a * x[i] + b * y[i]; }
};

/// w = (1 - rate decay) w - scale rate u
template <class T>
struct MuonStep {
    MuonItem<T> item;
    const double* lr;
    double lr_scale, decay, scale;
    RADIAL_HD void operator()(std::int64_t i) const {
        const double rate = *lr * lr_scale;
        item.w[i] = static_cast<T>(1 - rate * decay) * item.w[i] - static_cast<T>(rate * scale) * item.u[i];
    }
};

/// One parameter updated by RmsProp.
template <class T>
struct RmsPropItem {
    T* w;
    const T* g;
    T* v;
    T* m;  ///< null unless centered
    T* b;  ///< null without momentum
    std::int64_t count;
    double lr_scale;
    T decay;
};

/// slope = g + decay w;  v = keep v + fresh slope^2;  m = keep m + fresh slope;
/// b = momentum b + slope / (sqrt(v - m^2) + epsilon);  w -= rate b
template <class T>
struct RmsPropStep {
    const double* lr;
    T keep, fresh, epsilon, momentum;
    RADIAL_HD void operator()(const RmsPropItem<T>& item, std::int64_t i) const {
        const T slope = item.g[i] + item.decay * item.w[i];
        T spread = keep * item.v[i] + fresh * slope * slope;
        item.v[i] = spread;
        if (item.m != nullptr) {
            const T mean = item.m[i] + fresh * (slope - item.m[i]);
            item.m[i] = mean;
            spread = spread > mean * mean ? spread - mean * mean : T(0);  // rounding can make it negative
        }
        T moved = slope / (std::sqrt(spread) + epsilon);
        if (item.b != nullptr) {
            moved += momentum * item.b[i];
            item.b[i] = moved;
        }
        item.w[i] -= static_cast<T>(*lr * item.lr_scale) * moved;
    }
};

/// One tensor averaged by WeightAverage.
template <class T>
struct AverageItem {
    T* average;
    const T* value;
    std::int64_t count;
};

/// average += fresh * (value - average)
template <class T>
struct AverageStep {
    T fresh;
    RADIAL_HD void operator()(const AverageItem<T>& item, std::int64_t i) const {
        item.average[i] += fresh * (item.value[i] - item.average[i]);
    }
};

/// One gradient in a list.
template <class T>
struct GradientItem {
    T* g;
    std::int64_t count;
};

template <class T>
struct Squared {
    RADIAL_HD double operator()(const GradientItem<T>& item, std::int64_t i) const {
        const double value = static_cast<double>(item.g[i]);
        return value * value;
    }
};

/// Computes the joint norm from the sums of squares, and the factor that clips the gradients: 1 if the norm is at most
/// `most` or not finite.
struct ClipFactor {
    const double* sums;
    std::int64_t count;
    double most;
    double *norm, *factor;
    RADIAL_HD void operator()(std::int64_t) const {
        double total = 0;
        for (std::int64_t k = 0; k < count; ++k) total += sums[k];
        const double root = std::sqrt(total);
        *norm = root;
        *factor = root > most && root - root == 0 ? most / (root + 1e-6) : 1.0;
    }
};

template <class T>
struct ScaleGradient {
    const double* factor;
    RADIAL_HD void operator()(const GradientItem<T>& item, std::int64_t i) const {
        const T by = static_cast<T>(*factor);
        if (by != 1) item.g[i] *= by;
    }
};

}  // namespace radial::kernels
