// Makes a program with the commands of radial-mnist from your own data set and network.
#pragma once

#include "radial/apps/cli/image_task.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace radial::train {

/// Makes a program with the commands `train`, `eval` and `sweep` from a data set and a network. Its runs support
/// everything that those of radial-mnist do: --resume, snapshots, the best checkpoint, metrics.jsonl, TensorBoard
/// events, report.html, several ranks with mpirun, and every option that `train --help` lists. --loss also accepts
/// losses that register_loss() has added.
///
///     int main(int argc, char** argv) {
///         return train::Program("boats").data(read_boats).network("sail", make_network, 16).run(argc, argv);
///     }
class Program {
public:
    /// `name` is the prefix of the program's messages and determines the default folders: runs/NAME for --out and
    /// $RADIAL_DATA/NAME for --data. Throws Error when it is empty.
    explicit Program(std::string name);

    /// Sets the function that reads the training set or, with `train` false, the test set from the folder of --data.
    Program& data(data::DatasetReader read);
    /// Uses a data set of the registry (data::register_dataset()) with its mean and standard deviation. --data defaults
    /// to the folder of that name in $RADIAL_DATA. Throws Error for an unknown name.
    Program& dataset(const std::string& name);
    /// As data(), for a data set that is not in a folder: --data is optional, and without it `read` gets an empty path.
    Program& data_without_folder(data::DatasetReader read);
    /// Registers your own network with register_model() and makes it the default of --model. `make` builds the network
    /// with a feature of the dimension that is passed to it: `dim`, or the value of --dim. Throws Error when the name
    /// is taken.
    Program& network(const std::string& name, std::function<std::unique_ptr<Layer>(std::int64_t dim)> make,
                     std::int64_t dim);
    /// Sets the default of --model to a network of the registry.
    Program& model(std::string name);
    /// Sets the default of --loss: a name, or a sum such as "softmax + 0.01 * ring". Without this call it is
    /// rbf-softmax with normalised features (RbfSoftmaxOptions::normalise).
    Program& loss(std::string name);
    /// Sets the mean and standard deviation of the pixels in [0, 1], one number per channel or one for all channels.
    /// Without this call, pixels are only divided by 255. Inputs that are not images are not normalised.
    Program& normalise(std::vector<float> mean, std::vector<float> std);
    /// Adds an observer: `make` makes one for each run of `train`.
    Program& observer(std::function<std::unique_ptr<Observer>()> make);
    /// Sets the line that describes the program in --help.
    Program& summary(std::string text);
    /// The defaults of all other options of `train`, which may be changed.
    TrainOptions& defaults() { return task_.defaults; }

    /// Runs the command that argv[1] names and returns the exit status of the process; see run_program(). Throws Error
    /// when the program has no data set or no network.
    int run(int argc, const char* const* argv) const;

private:
    ImageTask task_;
    std::string summary_;
};

}  // namespace radial::train
