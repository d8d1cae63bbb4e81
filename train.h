// Training without a command line: classifiers, the trainer, its observers and reports (link Radial::train).
#pragma once

#include "radial/apps/report/report.h"
#include "radial/apps/train/class_metrics.h"
#include "radial/apps/train/console/progress.h"
#include "radial/apps/train/observers.h"
#include "radial/apps/train/retrieval.h"
#include "radial/apps/train/statistics.h"
#include "radial/apps/train/transfer.h"
#include "radial/apps/train/verification.h"
#include "radial/radial.h"
