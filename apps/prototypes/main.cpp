// radial-prototypes: shows what classifiers have learned, as in Fig. 1 of the RBF-Softmax paper.
#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/sweep/sweep_pages.h"
#include "radial/apps/tasks/tasks.h"

#include <CLI/CLI.hpp>

namespace radial::prototypes {
namespace {

/// Writes a page with one scatter chart per run: test features, prototypes, loss, settings, test accuracy.
train::Command scatter_command() {
    return {"scatter", "Plot the test features of two-dimensional runs side by side", [](CLI::App& app) {
                auto options = std::make_shared<train::ScatterPageOptions>();
                app.add_option("RUN", options->runs, "Run folders of radial-mnist train --dim 2, or checkpoints")
                    ->required();
                app.add_option("--out", options->out, "Output page")->capture_default_str()->type_name("FILE");
                train::add_data_option(app, options->data, train::mnist_task().set);
                app.add_option("--batch", options->batch, "Images per batch")
                    ->capture_default_str()
                    ->check(train::within(1, 1000000));
                app.add_option("--threads", options->threads, "Compute threads; 0 uses every core")
                    ->capture_default_str()
                    ->check(train::within(0, 4096));
                train::add_device_option(app, options->device);
                return [options] {
                    train::with_memory_advice(options->batch,
                                              [&] { train::write_scatter_page(train::mnist_task(), *options); });
                };
            }};
}

}  // namespace
}  // namespace radial::prototypes

int main(int argc, char** argv) {
    return radial::train::run_program("radial-prototypes", "Shows the features and prototypes of trained classifiers.",
                                      {radial::prototypes::scatter_command()}, argc, argv);
}
