// Tests of runs that must stop with an error, and of the messages that they print.
#include "../../expect.h"
#include "../program.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/memory/device_runtime.h"

#include <fstream>

namespace radial::test {
namespace {

/// Runs `radial-mnist train` with 64 synthetic images in batches of 16; it must fail. Returns the first line of the
/// error, with the run's folder replaced by OUT.
std::string train_error(const std::string& arguments) {
    const TemporaryFolder folder;
    write_patterns(folder / "data", 64, 10);
    const ProgramResult result = run_program(
        "radial-mnist", "train --threads 2 --batch 16 --epochs 1 --schedule constant --data " +
                            (folder / "data").string() + " --out " + (folder / "run").string() + " " + arguments);
    CHECK(result.status == 1);
    std::string error = result.first_error();
    const std::string out = (folder / "run").string();
    if (const std::size_t at = error.find(out); at != std::string::npos) error.replace(at, out.size(), "OUT");
    return error;
}

}  // namespace

TEST_CASE("an unknown loss is refused with the nearest one", "[host]") {
    CHECK(train_error("--loss rbf-sofmax")
              .starts_with("radial-mnist train: no loss is called \"rbf-sofmax\"; did you mean rbf-softmax? The losses "
                           "are softmax, "));
}

TEST_CASE("a device that the build lacks is refused", "[host]") {
    const int missing = device::count();
    CHECK(train_error("--device cuda:" + std::to_string(missing)) ==
          "radial-mnist train: " + device::unavailable(missing));
}

TEST_CASE("training without a data folder says how to name one", "[host]") {
    const ProgramResult result = run_program("radial-mnist", "train");
    CHECK(result.status == 1);
    CHECK(result.first_error() ==
          "radial-mnist train: no data folder: give --data DIR, or set RADIAL_DATA to a folder that holds mnist/. "
          "'radial-mnist download DIR' fetches MNIST");
}

TEST_CASE("a data folder that does not exist is refused", "[host]") {
    const ProgramResult result = run_program("radial-mnist", "train --data /nonexistent/mnist");
    CHECK(result.status == 1);
    CHECK(result.first_error() ==
          "radial-mnist train: /nonexistent/mnist: no such data folder. 'radial-mnist download DIR' fetches MNIST");
}

TEST_CASE("an output folder that cannot be made is found before training", "[host]") {
    const TemporaryFolder folder;
    std::ofstream(folder / "file") << "not a folder";
    write_patterns(folder / "data", 16, 10);
    const std::string out = (folder / "file").string() + "/run";
    const ProgramResult result =
        run_program("radial-mnist", "train --data " + (folder / "data").string() + " --out " + out);
    CHECK(result.status == 1);
    CHECK(result.first_error() == "radial-mnist train: " + out + ": cannot make the output folder: Not a directory");
    CHECK(result.out.find("epoch 1/") == std::string::npos);
}

TEST_CASE("a loss that is not a number stops the run with step, epoch and learning rate", "[host]") {
    CHECK(train_error("--loss softmax --lr 1e30 --clip-norm 0") ==
          "radial-mnist train: the loss is nan at step 2 of epoch 1 (lr 1e+30). Lower the learning rate, or clip the "
          "gradient's norm at 1. Its "
          "batch is in OUT/failed-step-2.safetensors");
}

TEST_CASE("a dead kernel stops the run in its first epoch and names the cure", "[host]") {
    CHECK(train_error("--loss.gamma 1e-6 --loss.normalise 0") ==
          "radial-mnist train: mean kernel 0 after 4 steps: every prototype is out of reach of the features, so no "
          "gradient flows. Normalise the loss's features, lower the learning rate, clip the gradient's norm at 1, or "
          "raise the loss's gamma. Its batch is in OUT/failed-step-4.safetensors");
}

TEST_CASE("a run that cannot go on keeps the batch and the snapshot from before", "[host]") {
    const TemporaryFolder folder;
    write_patterns(folder / "data", 64, 10);
    const std::string run = (folder / "run").string();
    run_program("radial-mnist",
                "train --threads 2 --batch 16 --epochs 1 --schedule constant --save-steps 1 --loss "
                "softmax --lr 1e30 --clip-norm 0 --data " +
                    (folder / "data").string() + " --out " + run);
    const TensorFile failed = read_safetensors(run + "/failed-step-2.safetensors");
    CHECK(failed.at("images").shape() == Shape{16, 1, 28, 28});
    CHECK(failed.at("indices").shape() == Shape{16});
    CHECK(failed.metadata.at("loss") == "nan");
    CHECK(failed.metadata.at("lr") == "1e+30");
    const TensorFile snapshot = read_safetensors(run + "/snapshots/step-000000001.safetensors");
    CHECK(snapshot.contains("loss.weight"));
    // The resumed run fails at the same step.
    const ProgramResult again = run_program("radial-mnist", "train --resume " + run);
    CHECK(again.out.find("resumed after step 1 from ") != std::string::npos);
    CHECK(again.first_error().find("the loss is nan at step 2 of epoch 1") != std::string::npos);
}

TEST_CASE("a dead kernel is allowed when asked for", "[host]") {
    const TemporaryFolder folder;
    write_patterns(folder / "data", 16, 10);
    const ProgramResult result = run_program(
        "radial-mnist", "train --loss.gamma 1e-6 --loss.normalise 0 --allow-dead-kernel --epochs 1 --data " +
                            (folder / "data").string() + " --out " + (folder / "run").string());
    CHECK(result.status == 0);
    CHECK(read_metrics(folder / "run").front().at("mean_kernel") == 0.0);
}

}  // namespace radial::test
