// Joins ranks, divides the host's processors and devices among them, and compares their runs.
#include "radial/apps/cli/run/rank_session.h"

#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/cli/run/run_saver.h"
#include "radial/apps/train/console/interrupt.h"
#include "radial/apps/train/run/version.h"
#include "radial/core/backend/backend.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <thread>

namespace radial::train {

using Json = nlohmann::ordered_json;

RankSession::RankSession(const RankPlan& plan)
    : plan_(plan),
      ranks_(join_ranks({.timeout = std::chrono::milliseconds(std::llround(1000 * plan.timeout)),
                         .ending = [] { return noted_signal() != 0; }})),
      processors_(static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))),
      allowed_(available_cores()) {
    if (!several()) return;
    // The other ranks would print the same as the first.
    if (!first() && std::freopen("/dev/null", "w", stdout) == nullptr)
        throw Error("cannot turn this rank's standard output off");
    RADIAL_CHECK(plan_.batch % ranks_->size() == 0, "--batch: {} images a step do not divide among {} ranks",
                 plan_.batch, ranks_->size());
    RADIAL_CHECK(plan_.graph != GraphUse::on, "--graph on: steps on several ranks are not recorded");
    const int host = std::max(processors_, allowed_);
    if (plan_.threads == 0) plan_.threads = std::max(1, std::min(allowed_, host / ranks_->local_size()));
    if (ranks_->local_size() == 1 || !plan_.device.starts_with("cuda")) return;
    RADIAL_CHECK(plan_.device == "cuda", "--device {}: {} ranks on this host need a device each; give --device cuda",
                 plan_.device, ranks_->local_size());
    plan_.device = "cuda:" + std::to_string(ranks_->local_rank());
}

std::string RankSession::describe() const {
    std::string text = fmt::format("ranks: {}, {} images a step and {} thread{} each", ranks_->size(),
                                   plan_.batch / ranks_->size(), plan_.threads, plan_.threads == 1 ? "" : "s");
    const int part = std::max(processors_, allowed_) / ranks_->local_size();
    if (allowed_ < part)
        text += fmt::format("; mpirun has bound each to {} of {} processors: --bind-to none gives {} threads", allowed_,
                            processors_, part);
    if (allowed_ < plan_.threads)
        text += fmt::format("; warning: {} threads share {} processor{} (mpirun --bind-to none)", plan_.threads,
                            allowed_, allowed_ == 1 ? "" : "s");
    return text;
}

void RankSession::check_last_batch(std::int64_t samples) const {
    if (plan_.drop_last) return;
    const std::int64_t last = samples % plan_.batch;
    RADIAL_CHECK(last == 0 || last >= ranks_->size(),
                 "--batch: the last batch of {} image{} leaves some of {} ranks without any; give --drop-last, or "
                 "another --batch or --limit",
                 last, last == 1 ? "" : "s", ranks_->size());
    // All ranks must divide their samples into the same number of parts.
    RADIAL_CHECK(
        plan_.accumulate == 1 || last % ranks_->size() == 0,
        "--accumulate: the last batch of {} images does not divide among {} ranks; give --drop-last, or another "
        "--batch or --limit",
        last, ranks_->size());
}

BetweenSteps RankSession::agree(const BetweenSteps& own) const {
    if (!several()) return own;
    const std::vector<std::int64_t> said{first() && own.save ? 1 : 0, own.signal == SIGINT ? 1 : 0,
                                         own.signal == SIGTERM ? 1 : 0, own.signal == SIGHUP ? 1 : 0};
    const Tensor heard = Tensor::from(said, {std::ssize(said)}, Device{});
    ranks_->sum(heard);
    const auto counts = heard.values<std::int64_t>();
    return {.save = counts[0] > 0,
            .signal = counts[2] > 0   ? SIGTERM
                      : counts[3] > 0 ? SIGHUP
                      : counts[1] > 0 ? SIGINT
                                      : 0};
}

namespace {

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

/// Throws Error unless `own` is the same on all ranks; `tell` describes how another rank differs.
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
