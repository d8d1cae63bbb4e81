// check_batches() and smallest_part(), which are in data_record.h.
#pragma once

#include "radial/apps/cli/run/data_record.h"
