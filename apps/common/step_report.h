// What a training step came to, for whoever watches a run step by step.
#pragma once

#include "radial/apps/common/step_log.h"

#include <cstdint>

namespace radial::apps {

struct StepReport {
    std::int64_t step = 0;    ///< of the run, from 1
    std::int64_t images = 0;  ///< in its batch
    double lr = 0;
    double seconds = 0;  ///< from the epoch's start to when the host looked at the step, which may be with others
    StepNumbers numbers;
};

}  // namespace radial::apps
