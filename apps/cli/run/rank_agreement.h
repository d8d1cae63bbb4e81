// check_same_run() and check_same_step(), which are in rank_session.h.
#pragma once

#include "radial/apps/cli/run/rank_session.h"
