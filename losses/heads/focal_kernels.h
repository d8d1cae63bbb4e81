// Row kernels of the focal cross-entropy.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"
#include "radial/core/ops/kernels/reduce.h"
#include "radial/losses/heads/rows.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// The values of a sample that backward reads: the gradient of the logit of another class j is others * exp(z_j - top),
/// that of the true class is -own.
template <class T>
struct FocalRow {
    T *top, *others, *own;  ///< [N]
};

/// loss = (1 - p)^gamma * -log p, where p is the softmax probability of the true class.
template <class T>
struct FocalForward {
    const T* logits;
    const std::int64_t* labels;
    FocalRow<T> row;
    T* losses;  ///< [N]
    std::int64_t classes;
    double gamma;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const T* const z = logits + i * classes;
        const std::int64_t label = labels[i];
        const bool known = is_class(label, classes);
        // The maximum and the sum are over the other classes, so that neither p nor 1 - p is computed by subtraction.
        const T top = team.max(classes, [=](std::int64_t j) { return j == label ? -infinity<T> : z[j]; });
        const bool none = top == -infinity<T>;
        const T from = none ? T{0} : top;
        const double total = team.sum(
            classes, [=](std::int64_t j) { return j == label ? 0.0 : static_cast<double>(exponential(z[j] - from)); });
        const T own_z = known ? z[label] : not_a_number<T>;
        const FocalRow<T> out = row;
        T* const loss = losses;
        const double power = gamma;
        team.once([=] {
            // The log of (1 - p) / p.
            double above = static_cast<double>(from) - static_cast<double>(own_z) + std::log(total);
            if (none && own_z > -infinity<T>) above = -infinity<double>;  // there is only one class
            if (own_z == infinity<T>) above = not_a_number<double>;
            const double rest = logistic(above), cross_entropy = soft_plus(above), share = logistic(-above);
            const double modulation = power == 0 ? 1.0 : std::pow(rest, power);
            // -(d loss / d log p) = rest^gamma (1 + gamma p (-log p) / rest); the quotient is 1 at p = 1, and p (-log
            // p) is 0 at p = 0.
            const double quotient = rest > 0 ? cross_entropy / rest : 1.0;
            const double slope = modulation * (share > 0 ? 1 + power * share * quotient : 1.0);
            loss[i] = static_cast<T>(modulation * cross_entropy);
            out.top[i] = from;
            out.own[i] = known ? static_cast<T>(slope * rest) : T{0};
            out.others[i] = known && !none ? static_cast<T>(slope * rest / total) : T{0};
        });
    }
};

template <class T>
struct FocalBackward {
    const T* logits;
    const std::int64_t* labels;
    FocalRow<T> row;
    const T* upstream;  ///< [N]
    T* gradient;
    std::int64_t classes;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const T* const z = logits + i * classes;
        T* const out = gradient + i * classes;
        const std::int64_t label = labels[i];
        if (!is_class(label, classes)) {
            team.each(classes, [=](std::int64_t j) { out[j] = 0; });
            return;
        }
        const T top = row.top[i], others = upstream[i] * row.others[i], own = upstream[i] * row.own[i];
        team.each(classes, [=](std::int64_t j) { out[j] = j == label ? -own : others * exponential(z[j] - top); });
    }
};

}  // namespace radial::kernels
