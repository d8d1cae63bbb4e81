// Builds the commands train, eval and sweep from a data set and a network.
#include "radial/apps/program/program.h"

#include "radial/apps/cli/command_line.h"
#include "radial/apps/sweep/sweep.h"
#include "radial/core/util/error.h"
#include "radial/data/registry.h"

#include <utility>

namespace radial::train {

Program::Program(std::string name) : summary_("Trains and evaluates a network on " + name + ".") {
    RADIAL_CHECK(!name.empty(), "Program: the name is empty");
    task_.set = name;
    task_.where_to_get = "Give its folder with --data DIR";
    task_.mean = {0.0F};
    task_.std = {1.0F};
    task_.defaults.out = "runs/" + name;
    task_.defaults.dim = 0;
    task_.loss_defaults = {{"rbf-softmax", {{"normalise", true}}}};
    task_.picture_files = true;
    task_.program = std::move(name);
}

Program& Program::data(data::DatasetReader read) {
    task_.read = std::move(read);
    task_.needs_folder = true;
    return *this;
}

Program& Program::dataset(const std::string& name) {
    const data::DatasetInfo& info = data::dataset_registry().at(name);
    data(info.read);
    task_.set = name;
    return info.mean.empty() ? *this : normalise(info.mean, info.std);
}

Program& Program::data_without_folder(data::DatasetReader read) {
    task_.read = std::move(read);
    task_.needs_folder = false;
    task_.set.clear();
    return *this;
}

Program& Program::network(const std::string& name, std::function<std::unique_ptr<Layer>(std::int64_t dim)> make,
                          std::int64_t dim) {
    register_model(
        {.name = name,
         .family = name,
         .source = task_.program,
         .image = {},
         .classes = 0,
         .dim = dim,
         .any_dim = true,
         .make = [make = std::move(make)](std::int64_t length, const ModelSettings&) { return make(length); }});
    return model(name);
}

Program& Program::model(std::string name) {
    task_.model = task_.model_title = std::move(name);
    return *this;
}

Program& Program::loss(std::string name) {
    task_.defaults.loss = std::move(name);
    return *this;
}

Program& Program::normalise(std::vector<float> mean, std::vector<float> std) {
    task_.mean = std::move(mean);
    task_.std = std::move(std);
    return *this;
}

Program& Program::observer(std::function<std::unique_ptr<Observer>()> make) {
    task_.observers.push_back(std::move(make));
    return *this;
}

Program& Program::summary(std::string text) {
    summary_ = std::move(text);
    return *this;
}

int Program::run(int argc, const char* const* argv) const {
    RADIAL_CHECK(task_.read != nullptr && !task_.model.empty(), "Program {}: has no {}", task_.program,
                 task_.read == nullptr ? "data set" : "network");
    return run_program(task_.program, summary_, {train_command(task_), eval_command(task_), sweep_command(task_)}, argc,
                       argv);
}

}  // namespace radial::train
