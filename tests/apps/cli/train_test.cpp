// Tests of a short run from the data to the report, and of its repetition.
#include "../../environment.h"
#include "../../expect.h"
#include "../program.h"
#include "radial/core/io/safetensors.h"

#include <fmt/core.h>

#include <cmath>
#include <cstdlib>
#include <optional>

namespace radial::test {
namespace {

/// The two-dimensional run that the tests of this file use.
class ShortRun {
public:
    ShortRun() {
        write_patterns(data(), 200, 50);
        result_ = train("run", "--dim 2 --epochs 2 --batch 20 --lr 0.02 --threads 2 --seed 3");
    }
    /// Runs `radial-mnist train` on the same data, writing to the folder `name`.
    ProgramResult train(const std::string& name, const std::string& arguments) const {
        const ProgramResult result = run_program(
            "radial-mnist",
            fmt::format("train --data {} --out {} {}", data().string(), (folder_ / name).string(), arguments));
        INFO(result.error);
        REQUIRE(result.status == 0);
        return result;
    }
    std::filesystem::path data() const { return folder_ / "data"; }
    std::filesystem::path path(const std::string& name = "run") const { return folder_ / name; }
    const ProgramResult& result() const { return result_; }

private:
    TemporaryFolder folder_;
    ProgramResult result_;
};

const ShortRun& short_run() {
    static const ShortRun run;
    return run;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a run's first line says what it runs on and its last where the report is", "[host]") {
    const std::string& out = short_run().result().out;
    CHECK(out.starts_with("device: cpu, oneDNN "));
    CHECK(out.ends_with("report: " + short_run().path().string() + "/report.html\n"));
}

TEST_CASE("bf16 on a processor that does not multiply bfloat16 is said to be slow", "[host]") {
    const ShortRun& run = short_run();  // trained before the limit is set, because other cases compare with it
    const EnvironmentVariable limit("DNNL_MAX_CPU_ISA", "AVX2");
    const ProgramResult slow = run.train("slow", "--dim 2 --epochs 1 --batch 20 --threads 1 --precision bf16");
    CHECK(contains(slow.out,
                   "precision: bf16 (this processor does not multiply bfloat16; --precision float32 is faster)\n"));
    CHECK(contains(run.result().out, "precision: float32\n"));
}

TEST_CASE("a run uses every core also where OMP_PROC_BIND binds each thread to one", "[host]") {
    const std::string quick = "--dim 2 --epochs 1 --batch 20 --limit 40";
    const ProgramResult free = short_run().train("free", quick);
    const EnvironmentVariable binding("OMP_PROC_BIND", "true");
    const ProgramResult bound = short_run().train("bound", quick);
    const auto device = [](const ProgramResult& run) { return run.out.substr(0, run.out.find('\n')); };
    CHECK(device(bound) == device(free));
}

TEST_CASE("a run prints plain lines where there is no terminal", "[host]") {
    CHECK_FALSE(contains(short_run().result().out, "\r"));
    CHECK(contains(short_run().result().out, "\nepoch 2/2: loss "));
}

TEST_CASE("a run notes the options that have no effect because another one is off", "[host]") {
    const std::string quick = "--dim 2 --epochs 1 --batch 20 --limit 40 ";
    const std::string idle =
        short_run()
            .train("idle", quick + "--warmup-epochs 0 --warmup-start 0.2 --poly-power 2 --crop-border reflect")
            .out;
    CHECK(contains(idle,
                   "note: --warmup-start has no effect without a warm-up (--warmup-epochs)\n"
                   "note: --poly-power has no effect without --schedule poly\n"
                   "note: --crop-border has no effect without --crop-padding\n"));
    const std::string used = short_run()
                                 .train("used", quick +
                                                    "--warmup-epochs 0.5 --warmup-start 0.2 "
                                                    "--crop-border reflect --crop-padding 2")
                                 .out;
    CHECK_FALSE(contains(used, "no effect"));
}

TEST_CASE("metrics.jsonl has a line an epoch with every promised field", "[host]") {
    const auto lines = read_metrics(short_run().path());
    REQUIRE(lines.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(lines[i].at("epoch") == i + 1);
        for (const char* field : {"train_loss", "test_accuracy", "best_accuracy", "images_per_second", "mean_kernel",
                                  "seconds", "lr", "gradient_norm"})
            CHECK(lines[i].at(field).is_number());
    }
    CHECK(lines[1].at("best_accuracy") ==
          std::max(lines[0].at("test_accuracy").get<double>(), lines[1].at("test_accuracy").get<double>()));
    CHECK(lines[1].at("train_loss") < lines[0].at("train_loss"));
}

TEST_CASE("a loss over pairs predicts as well by averaged weights, and so does its checkpoint", "[host][slow]") {
    const std::string how = "--loss triplet --dim 8 --epochs 3 --batch 20 --seed 3";
    short_run().train("pairs", how);
    short_run().train("pairs-averaged", how + " --ema 0.9");
    const double plain = read_metrics(short_run().path("pairs")).back().at("test_accuracy"),
                 averaged = read_metrics(short_run().path("pairs-averaged")).back().at("test_accuracy");
    CHECK(plain > 0.5);
    CHECK(averaged > plain - 0.2);
    const ProgramResult found = run_program(
        "radial-mnist", fmt::format("eval --data {} --checkpoint {}", short_run().data().string(),
                                    (short_run().path("pairs-averaged") / "checkpoint.safetensors").string()));
    CHECK(contains(found.out, fmt::format("test accuracy: {:.2f}%", 100 * averaged)));
}

TEST_CASE("the loss and the gradient do not depend on the parts of a batch", "[host]") {
    for (const std::string loss : {"softmax --class-weights balanced", "triplet"}) {
        INFO(loss);
        const auto run = [&](const std::string& parts) {
            const std::string name = loss.substr(0, loss.find(' ')) + "-in-" + parts;
            short_run().train(name, fmt::format("--loss {} --limit 66 --epochs 1 --batch 32 --seed 3 --momentum 0 "
                                                "--clip-norm 0 --accumulate {}",
                                                loss, parts));
            return read_metrics(short_run().path(name)).at(0);
        };
        const auto whole = run("1"), parts = run("32");
        for (const char* key : {"train_loss", "test_loss", "gradient_norm"})
            CHECK(parts.at(key).get<double>() == Approx(whole.at(key).get<double>()).epsilon(1e-3));
        CHECK(whole.at("gradient_norm").get<double>() > 0);
    }
}

TEST_CASE("an epoch's peak memory does not grow from the second epoch to the tenth", "[host][slow]") {
    short_run().train("ten", "--dim 2 --epochs 10 --batch 20 --seed 3");
    const auto lines = read_metrics(short_run().path("ten"));
    REQUIRE(lines.size() == 10);
    CHECK(lines[1].at("peak_bytes") > 0);
    // The number of prepared batches in memory at the peak depends on timing: up to four, of 20 images each.
    const std::size_t waiting = 4 * 20 * 28 * 28 * sizeof(float);
    for (const auto& line : lines)
        CHECK(line.at("peak_bytes").get<std::size_t>() <= lines[1].at("peak_bytes").get<std::size_t>() + waiting);
}

TEST_CASE("config.json holds given and default options, the version and the device", "[host]") {
    const auto config = nlohmann::json::parse(read_text(short_run().path() / "config.json"));
    const auto& options = config.at("options");
    CHECK(options.at("dim") == 2);
    CHECK(options.at("seed") == 3);
    CHECK(options.at("loss") == "rbf-softmax");
    CHECK(options.at("loss.scale") == 2.0);
    CHECK(options.at("loss.gamma") == 1.0);
    CHECK(options.at("clip-norm") == 1);
    CHECK(config.at("version").is_string());
    CHECK(contains(config.at("device_description"), "oneDNN"));
}

TEST_CASE("the checkpoint names its program, model, loss, settings, epoch and accuracy", "[host]") {
    const TensorFile file = read_safetensors(short_run().path() / "checkpoint.safetensors");
    CHECK(file.metadata.at("program").starts_with("radial-mnist "));
    CHECK(file.metadata.at("model") == "lenetpp");
    CHECK(file.metadata.at("dim") == "2");
    CHECK(file.metadata.at("loss") == "rbf-softmax");
    CHECK(file.metadata.at("loss.gamma") == "1");
    CHECK(file.metadata.at("epoch") == "2");
    const double accuracy = read_metrics(short_run().path()).back().at("test_accuracy");
    CHECK(std::stod(file.metadata.at("accuracy")) == accuracy);
    CHECK(file.at("loss.prototypes").shape() == Shape{10, 2});
}

TEST_CASE("eval of the checkpoint reproduces the run's accuracy", "[host]") {
    const ProgramResult result =
        run_program("radial-mnist",
                    fmt::format("eval --checkpoint {} --data {}",
                                (short_run().path() / "checkpoint.safetensors").string(), short_run().data().string()));
    CHECK(result.status == 0);
    const double accuracy = read_metrics(short_run().path()).back().at("test_accuracy");
    CHECK(contains(result.out,
                   fmt::format("test accuracy: {:.2f}% ({} of 50)\n", 100 * accuracy, std::lround(50 * accuracy))));
}

TEST_CASE("eval of a checkpoint with a NaN names its tensor", "[host]") {
    const TemporaryFolder folder;
    TensorFile file = read_safetensors(short_run().path() / "checkpoint.safetensors");
    for (const NamedTensor& tensor : file.tensors)
        if (tensor.name == "loss.prototypes") tensor.tensor.data<float>()[3] = NAN;
    const std::string path = (folder / "broken.safetensors").string();
    write_safetensors(path, file);
    const ProgramResult result =
        run_program("radial-mnist", fmt::format("eval --checkpoint {} --data {}", path, short_run().data().string()));
    CHECK(result.status == 1);
    CHECK(result.first_error() == "radial-mnist eval: " + path +
                                      ": \"loss.prototypes\" is nan at [1, 1], and 1 of its 20 numbers are not finite");
}

TEST_CASE("eval of a file that is no checkpoint is refused", "[host]") {
    const TemporaryFolder folder;
    write_safetensors(folder / "other.safetensors", {.tensors = {{"x", Tensor::zeros({1})}}, .metadata = {}});
    const std::string path = (folder / "other.safetensors").string();
    const ProgramResult result = run_program("radial-mnist", "eval --checkpoint " + path);
    CHECK(result.status == 1);
    CHECK(result.first_error() ==
          "radial-mnist eval: " + path + ": no 'model' in its metadata: not a classifier saved by Radial");
}

TEST_CASE("config.json through --config repeats the run bit for bit", "[host]") {
    const ShortRun& run = short_run();
    run.train("again", "--config " + (run.path() / "config.json").string());
    CHECK(differences(read_text(run.path("again") / "checkpoint.safetensors"),
                      read_text(run.path() / "checkpoint.safetensors")) == "");
}

TEST_CASE("another number of threads visits the samples in the same order", "[host]") {
    const ShortRun& run = short_run();
    run.train("one-thread", "--dim 2 --epochs 1 --batch 20 --threads 1 --workers 0 --seed 3");
    CHECK(read_metrics(run.path("one-thread")).front().at("order") == read_metrics(run.path()).front().at("order"));
}

TEST_CASE("every epoch visits the samples in another order", "[host]") {
    const auto lines = read_metrics(short_run().path());
    CHECK(lines[0].at("order") != lines[1].at("order"));
}

TEST_CASE("another seed visits the samples in another order", "[host]") {
    const ShortRun& run = short_run();
    run.train("other-seed", "--dim 2 --epochs 1 --batch 20 --seed 4");
    CHECK(read_metrics(run.path("other-seed")).front().at("order") != read_metrics(run.path()).front().at("order"));
}

TEST_CASE("the report is one page with charts, confusion matrix and a scatter of 2-D features", "[host]") {
    const std::string page = read_text(short_run().path() / "report.html");
    CHECK(page.starts_with("<!DOCTYPE html>"));
    CHECK(page.ends_with("</html>\n"));
    for (const char* part : {"Loss by epoch", "Accuracy by epoch", "Mean kernel by epoch", "Confusion matrix",
                             "Test features and prototypes", "prototype of 9 "})
        CHECK(contains(page, part));
    for (const char* outside : {"http:", "https:", "<script", "<link", "url("}) CHECK_FALSE(contains(page, outside));
}

TEST_CASE("softmax in more dimensions has neither a mean kernel nor a scatter", "[host]") {
    const ShortRun& run = short_run();
    run.train("softmax", "--loss softmax --dim 3 --epochs 1 --batch 20 --limit 40");
    CHECK_FALSE(read_metrics(run.path("softmax")).front().contains("mean_kernel"));
    const std::string page = read_text(run.path("softmax") / "report.html");
    CHECK_FALSE(contains(page, "Test features and prototypes"));
    CHECK_FALSE(contains(page, "Mean kernel by epoch"));
}

TEST_CASE("a second run into the same folder leaves nothing of the first", "[host]") {
    const ShortRun& run = short_run();
    run.train("twice", "--dim 2 --epochs 2 --batch 20 --limit 20");
    run.train("twice", "--dim 2 --epochs 1 --batch 20 --limit 20 --overwrite");
    CHECK(read_metrics(run.path("twice")).size() == 1);
}

}  // namespace radial::test
