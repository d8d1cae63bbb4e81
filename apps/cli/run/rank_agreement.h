// That all ranks do the same run: a handshake before it starts.
#pragma once

#include "radial/apps/cli/run/rank_session.h"

#include <nlohmann/json.hpp>

namespace radial::train {

/// Throws Error on every rank, naming two ranks and what differs, unless all have the same program, the same options
/// (but for those that may_differ() when a run goes on, where they read and how they compute) and the same data
/// (data_record.h). Called by all ranks; throws RankLost.
void check_same_run(const RankSession& session, const nlohmann::ordered_json& options,
                    const nlohmann::ordered_json& data);

/// The same for the step after which a resumed run goes on: ranks may see different folders.
void check_same_step(const RankSession& session, std::int64_t step);

}  // namespace radial::train
