// Every rank says what it is about to do, and compares it with what the first says.
#include "radial/apps/cli/run/rank_agreement.h"

#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/cli/run/run_saver.h"
#include "radial/apps/train/run/version.h"
#include "radial/core/util/error.h"

namespace radial::train {
namespace {

using Json = nlohmann::ordered_json;

std::string shown(const Json& options, const std::string& name) {
    return options.contains(name) ? options.at(name).dump() : "not given";
}

/// "--lr is 0.01 on rank 0 and 0.5 on rank 1", for each option that differs.
std::string options_difference(const Json& first, const Json& other, std::size_t rank) {
    Json all = first;
    all.update(other);
    std::string text;
    for (const auto& [name, value] : all.items()) {
        const std::string here = shown(first, name), there = shown(other, name);
        if (here == there) continue;
        text +=
            fmt::format("{}--{} is {} on rank 0 and {} on rank {}", text.empty() ? "" : ", ", name, here, there, rank);
    }
    return text;
}

std::string difference(const Json& first, const Json& other, std::size_t rank) {
    if (first.at("version") != other.at("version"))
        return fmt::format("rank 0 runs {}, rank {} {}", first.at("version").dump(), rank, other.at("version").dump());
    const std::string options = options_difference(first.at("options"), other.at("options"), rank);
    if (!options.empty()) return options;
    return data_difference(first.at("data"), "rank 0 has", other.at("data"), fmt::format("rank {} has", rank));
}

/// Throws Error unless all ranks say the same; `tell` says what another rank has otherwise.
template <class F>
void compare(const RankSession& session, const Json& own, const F& tell) {
    if (!session.several()) return;
    const std::vector<std::string> said = session.ranks().gather(own.dump());
    const Json first = Json::parse(said.front());
    for (std::size_t rank = 1; rank < said.size(); ++rank) {
        if (said[rank] == said.front()) continue;
        session.end_together();
        throw Error(fmt::format("ranks differ: {}", tell(first, Json::parse(said[rank]), rank)));
    }
}

}  // namespace

void check_same_run(const RankSession& session, const Json& options, const Json& data) {
    Json decisive = Json::object();
    for (const auto& [name, value] : options.items())
        if (!may_differ(name)) decisive[name] = value;
    compare(session, {{"version", version}, {"options", decisive}, {"data", data}}, difference);
}

void check_same_step(const RankSession& session, std::int64_t step) {
    compare(session, step, [](const Json& first, const Json& other, std::size_t rank) {
        return fmt::format(
            "rank 0 goes on after step {}, rank {} after step {}: all must see the folder of the same run",
            first.dump(), rank, other.dump());
    });
}

}  // namespace radial::train
