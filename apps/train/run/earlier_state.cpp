// Converts the state of an earlier version.
#include "radial/apps/train/run/earlier_state.h"

#include "radial/apps/train/run/json_numbers.h"

#include <utility>

namespace radial::train {

nlohmann::ordered_json of_this_version(nlohmann::ordered_json state) {
    if (state.contains("metrics") || !state.contains("kernel")) return state;
    using Json = nlohmann::ordered_json;
    const Json kernel = state.at("kernel");
    Json metrics = Json::object();
    if (!kernel.at("initial").is_null())  // null: a loss without a kernel
        metrics["mean_kernel"] = {{"initial", real_number(kernel, "initial")},
                                  {"sum", real_number(kernel, "epoch_sum")},
                                  {"steps", whole_number<std::int64_t>(kernel, "epoch_steps")}};
    state["metrics"] = std::move(metrics);
    state["observers"] = {{"kernel",
                           {{"window_sum", real_number(kernel, "window_sum")},
                            {"window_steps", whole_number<std::int64_t>(kernel, "window_steps")},
                            {"epoch_steps", whole_number<std::int64_t>(kernel, "epoch_steps")}}}};
    state.erase("kernel");
    return state;
}

}  // namespace radial::train
