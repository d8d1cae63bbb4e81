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

/// m += new1 (slope - m);  v = keep2 v + new2 slope^2;  w = w shrink - rate m / (sqrt(v) / root + epsilon)
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

/// v = keep v + fresh g^2;  m = keep m + fresh g;  b = momentum b + g / (sqrt(v - m^2) + epsilon);  w -= rate b
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
            spread = spread > mean * mean ? spread - mean * mean : T(0);  // below 0 by rounding
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

/// One gradient.
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

/// Computes the joint norm from the sums of squares, and the factor for the gradients: 1 if the norm is at most `most`
/// or not finite.
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
