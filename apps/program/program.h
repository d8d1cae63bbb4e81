// A program for a data set and a network of one's own, with the commands of radial-mnist.
#pragma once

#include "radial/apps/cli/image_task.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace radial::train {

/// Turns a data set and a network into a program with the commands `train`, `eval` and `sweep`. Runs have all that
/// those of radial-mnist have: --resume, snapshots, the best checkpoint, metrics.jsonl, TensorBoard events,
/// report.html, several ranks by mpirun, and every option that `train --help` lists. Losses that register_loss() added
/// are there by
/// --loss.
///
///     int main(int argc, char** argv) {
///         return train::Program("boats").data(read_boats).network("sail", make_network, 16).run(argc, argv);
///     }
class Program {
public:
    /// `name` begins the program's messages and names its folders: runs/NAME for --out, $RADIAL_DATA/NAME for --data.
    explicit Program(std::string name);

    /// Reads the training set or, with `train` false, the test set from the folder of --data.
    Program& data(data::DatasetReader read);
    /// A data set of the registry (data::register_dataset()), with its mean and standard deviation; --data defaults to
    /// its folder under $RADIAL_DATA. Throws Error for an unknown name.
    Program& dataset(const std::string& name);
    /// The same for a set that is not in a folder: --data is not needed, and the reader gets an empty path without it.
    Program& data_without_folder(data::DatasetReader read);
    /// A network of one's own, registered under a name (register_model()). `make` builds it with a feature of length
    /// `dim`. Throws Error when the name is taken.
    Program& network(const std::string& name, std::function<std::unique_ptr<Layer>(std::int64_t dim)> make,
                     std::int64_t dim);
    /// A network of the registry, the default of --model.
    Program& model(std::string name);
    /// The default of --loss: a name, or a sum such as "softmax + 0.01 * ring".
    Program& loss(std::string name);
    /// Mean and standard deviation of the images' pixels in [0, 1], one for each channel or one for all. Without them
    /// pixels are divided by 255, and other inputs stay as they are.
    Program& normalise(std::vector<float> mean, std::vector<float> std);
    /// Makes an observer for each run of `train`; several may be added.
    Program& observer(std::function<std::unique_ptr<Observer>()> make);
    /// One line for --help.
    Program& summary(std::string text);
    /// The defaults of all other options of `train`, to be changed.
    TrainOptions& defaults() { return task_.defaults; }

    /// Runs the command that argv[1] names. Returns the process's exit status: see run_program().
    int run(int argc, const char* const* argv) const;

private:
    ImageTask task_;
    std::string summary_;
};

}  // namespace radial::train
