// Tests of `radial-cifar10` and `radial-cifar100` from files to a checkpoint, on small sets in CIFAR's format.
#include "../../data/archives.h"
#include "../../data/http_server.h"
#include "../../expect.h"
#include "../program.h"
#include "radial/apps/cli/run/augmentation.h"
#include "radial/apps/cli/run/train_options.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/tensor/random.h"

#include <fmt/core.h>

#include <fstream>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

/// Returns the content of a file of records. Each class (0 to 9) has its own colour and position, so that it is easy to
/// recognise over the noise.
std::string records(int count, bool coarse, Generator& generator) {
    std::string bytes;
    for (int i = 0; i < count; ++i) {
        const int label = i % 10;
        if (coarse) bytes += static_cast<char>(label);
        bytes += static_cast<char>(label);
        for (int c = 0; c < 3; ++c)
            for (int y = 0; y < 32; ++y)
                for (int x = 0; x < 32; ++x) {
                    const bool bright = c == label % 3 && (y < 16) == (label / 3 % 2 == 0) && label != 9;
                    bytes += static_cast<char>((bright ? 180 : label > 5 ? 70 : 0) + generator.below(50));
                }
    }
    return bytes;
}

void write_bytes(const fs::path& path, const std::string& bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}

/// Small sets in the formats of CIFAR-10 (also as an archive) and CIFAR-100, and a run on CIFAR-10.
class Sets {
public:
    Sets() {
        Generator generator(5);
        std::string tar, names;
        const auto add = [&](const std::string& name, const std::string& bytes) {
            write_bytes(ten() / name, bytes);
            tar += tar_member("cifar-10-batches-bin/" + name, bytes);
        };
        for (int i = 0; i < 10; ++i) names += fmt::format("kind {}\n", i);
        add("batches.meta.txt", names);
        for (int i = 1; i <= 5; ++i) add(fmt::format("data_batch_{}.bin", i), records(40, false, generator));
        add("test_batch.bin", records(50, false, generator));
        write_bytes(archive(), gzipped(tar + tar_end()));
        for (int i = 10; i < 100; ++i) names += fmt::format("kind {}\n", i);
        write_bytes(hundred() / "fine_label_names.txt", names);
        write_bytes(hundred() / "train.bin", records(60, true, generator));
        write_bytes(hundred() / "test.bin", records(20, true, generator));
        train("run", "--epochs 4");
    }
    fs::path ten() const { return folder_ / "cifar-10-batches-bin"; }
    fs::path archive() const { return folder_ / "cifar-10-binary.tar.gz"; }
    fs::path hundred() const { return folder_ / "cifar-100-binary"; }
    fs::path path(const std::string& name = "run") const { return folder_ / name; }

    /// Trains on CIFAR-10 in batches of 20 with two threads.
    ProgramResult train(const std::string& name, const std::string& arguments, const fs::path& data) const {
        const ProgramResult result =
            run_program("radial-cifar10", fmt::format("train --data {} --out {} --batch 20 --threads 2 --seed 3 {}",
                                                      data.string(), path(name).string(), arguments));
        INFO(result.error);
        REQUIRE(result.status == 0);
        return result;
    }
    ProgramResult train(const std::string& name, const std::string& arguments) const {
        return train(name, arguments, ten());
    }
    std::string checkpoint(const std::string& name) const { return read_text(path(name) / "checkpoint.safetensors"); }

private:
    TemporaryFolder folder_;
};

const Sets& sets() {
    static const Sets small;
    return small;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Runs train with these arguments, which it must reject, and returns the error.
std::string train_error(const std::string& arguments) {
    const ProgramResult result =
        run_program("radial-cifar10", fmt::format("train --data {} --out {} --epochs 1 {}", sets().ten().string(),
                                                  sets().path("refused").string(), arguments));
    CHECK(result.status == 1);
    return result.first_error();
}

/// Converts a run's options to the form that earlier versions wrote: the options of the loss and of the network are all
/// numbers, new options are missing, and renamed options have their former names.
nlohmann::ordered_json of_before(nlohmann::ordered_json options) {
    for (const char* option : {"loss.normalise", "loss.spread", "model.recompute"}) REQUIRE(options.erase(option) == 1);
    options["model.checkpoint"] = 0.0;
    for (auto& [name, value] : options.items())
        if ((name.starts_with("loss.") || name.starts_with("model.")) && value.is_boolean())
            value = value.get<bool>() ? 1.0 : 0.0;
    return options;
}

}  // namespace

TEST_CASE("radial-cifar10 learns its classes far beyond chance", "[host][slow]") {
    const auto lines = read_metrics(sets().path());
    REQUIRE(lines.size() == 4);
    CHECK(lines.back().at("test_accuracy") > 0.5);
    CHECK(lines.back().at("train_loss") < lines.front().at("train_loss"));
}

TEST_CASE("a run on CIFAR-10 has ResNet-20, a learned scale, the paper's gamma, and says its augmentation", "[host]") {
    const auto options = nlohmann::json::parse(read_text(sets().path() / "config.json")).at("options");
    CHECK(options.at("model") == "resnet20");
    CHECK(options.at("dim") == 64);
    CHECK(options.at("loss.scale") == 8);
    CHECK(options.at("loss.spread") == 0.7);
    CHECK(options.at("loss.gamma") == 1.6);
    CHECK(options.at("loss.learn_scale") == true);
    CHECK(options.at("loss.normalise") == true);
    CHECK(options.at("model.zero-init-residual") == false);
    CHECK(options.at("crop-padding") == 4);
    CHECK(options.at("flip") == 0.5);
    CHECK(options.at("weight-decay") == 1e-4);
}

TEST_CASE("a run on CIFAR says how many images there are and how they are augmented", "[host]") {
    const std::string out = sets().train("said", "--epochs 1 --limit 20 --cutout 8 --erasing 0.25").out;
    CHECK(contains(out, fmt::format("data: 20 training and 50 test images from {}\n", sets().ten().string())));
    CHECK(contains(out, "augmentation: crop with padding 4, flip 0.5, cutout 8, erasing 0.25\n"));
    CHECK(contains(sets().train("said", "--epochs 1 --limit 20 --no-augment --overwrite").out, "augmentation: none\n"));
}

TEST_CASE("the published archive trains as the folder does, bit for bit", "[host]") {
    sets().train("folder", "--epochs 1 --limit 60");
    sets().train("archive", "--epochs 1 --limit 60", sets().archive());
    CHECK(differences(sets().checkpoint("archive"), sets().checkpoint("folder")) == "");
}

TEST_CASE("the number of workers changes nothing of a run with augmentation", "[host]") {
    const std::string arguments = "--epochs 2 --limit 60 --cutout 8 --erasing 0.5 --workers ";
    sets().train("one", arguments + "1");
    sets().train("four", arguments + "4");
    CHECK(differences(sets().checkpoint("one"), sets().checkpoint("four")) == "");
}

TEST_CASE("balanced sampling and repeated augmentation are named, and do not depend on the number of workers",
          "[host]") {
    const std::string arguments = "--epochs 2 --limit 60 --sampling balanced --repeated-augment 3 --workers ";
    const std::string out = sets().train("balanced-1", arguments + "1").out;
    sets().train("balanced-4", arguments + "4");
    CHECK(contains(out,
                   "augmentation: crop with padding 4, flip 0.5, each image 3 times in a row\n"
                   "sampling: balanced, as many images of each class\n"));
    CHECK(differences(sets().checkpoint("balanced-1"), sets().checkpoint("balanced-4")) == "");
    const auto options = nlohmann::json::parse(read_text(sets().path("balanced-1") / "config.json")).at("options");
    CHECK(options.at("sampling") == "balanced");
    CHECK(options.at("repeated-augment") == 3);
}

TEST_CASE("augmentation is part of the training", "[host]") {
    sets().train("with", "--epochs 1 --limit 40");
    sets().train("without", "--epochs 1 --limit 40 --no-augment");
    CHECK(read_metrics(sets().path("with"))[0].at("train_loss") !=
          read_metrics(sets().path("without"))[0].at("train_loss"));
}

TEST_CASE("config.json of a CIFAR run repeats it bit for bit", "[host][slow]") {
    sets().train("again", "--config " + (sets().path() / "config.json").string());
    CHECK(differences(sets().checkpoint("again"), sets().checkpoint("run")) == "");
}

TEST_CASE("eval reads the archive and reproduces the run's accuracy", "[host]") {
    const ProgramResult result = run_program(
        "radial-cifar10", fmt::format("eval --checkpoint {} --data {}",
                                      (sets().path() / "checkpoint.safetensors").string(), sets().archive().string()));
    CHECK(result.status == 0);
    const double accuracy = read_metrics(sets().path()).back().at("test_accuracy");
    CHECK(contains(result.out,
                   fmt::format("test accuracy: {:.2f}% ({} of 50)\n", 100 * accuracy, std::lround(50 * accuracy))));
}

TEST_CASE("another network is named with --model, and another loss has its own defaults", "[host]") {
    const ProgramResult result = sets().train("other", "--epochs 1 --limit 20 --model resnet32 --loss softmax");
    CHECK(contains(result.out, "model: resnet32, 64-D feature, 464154 parameters; loss: softmax"));
    const TensorFile file = read_safetensors(sets().path("other") / "checkpoint.safetensors");
    CHECK(file.metadata.at("model") == "resnet32");
}

TEST_CASE("a network for other images is refused", "[host]") {
    CHECK(train_error("--model lenetpp") ==
          "radial-cifar10 train: --model lenetpp: takes images of 1 channels, the data set has 3");
    CHECK(train_error("--model resnet21")
              .starts_with("radial-cifar10 train: no model is called \"resnet21\"; did you mean"));
}

TEST_CASE("radial-cifar100 trains on the hundred fine classes", "[host]") {
    const ProgramResult result =
        run_program("radial-cifar100", fmt::format("train --data {} --out {} --epochs 1 --batch 20 --threads 2",
                                                   sets().hundred().string(), sets().path("hundred").string()));
    CHECK(result.status == 0);
    const TensorFile file = read_safetensors(sets().path("hundred") / "checkpoint.safetensors");
    CHECK(file.at("loss.prototypes").shape() == Shape{100, 64});
    CHECK(file.metadata.at("loss.gamma") == "2.2");
    CHECK(file.metadata.at("loss.scale") == "14");
    CHECK(file.metadata.at("loss.normalise") == "true");
    CHECK(file.at("loss.running_mean").shape() == Shape{64});
    CHECK(contains(result.out, "data: 60 training and 20 test images"));
}

TEST_CASE("a run from before options were added or renamed goes on as it began", "[host][slow]") {
    sets().train("earlier", "--epochs 1 --loss.normalise false --allow-dead-kernel");
    const fs::path config = sets().path("earlier") / "config.json";
    auto written = nlohmann::ordered_json::parse(read_text(config));
    written["options"] = of_before(written.at("options"));
    write_text(config, written.dump());
    for (const fs::path& path : train::Snapshots(sets().path("earlier"), 2).files()) {
        TensorFile snapshot = read_safetensors(path, Checksum::added);
        auto state = nlohmann::ordered_json::parse(snapshot.metadata.at("state"));
        state["options"] = of_before(state.at("options"));
        snapshot.metadata["state"] = state.dump();
        write_safetensors(path, snapshot, Checksum::added);
    }
    const auto loss_of = [](const std::string& name) {
        const auto options = nlohmann::json::parse(read_text(sets().path(name) / "config.json")).at("options");
        return options.at("loss.normalise").get<bool>();
    };
    // The config file of the earlier version can be used for another run, and the command line can change them.
    sets().train("same-loss", "--config " + config.string());
    CHECK_FALSE(loss_of("same-loss"));
    sets().train("changed", "--loss.normalise 1 --config " + config.string());
    CHECK(loss_of("changed"));
    const ProgramResult resumed =
        run_program("radial-cifar10", "train --epochs 2 --resume " + sets().path("earlier").string());
    INFO(resumed.error);
    CHECK(resumed.status == 0);
    CHECK_FALSE(loss_of("earlier"));
    const auto options = nlohmann::json::parse(read_text(config)).at("options");
    CHECK(options.at("model.recompute") == false);
    CHECK_FALSE(options.contains("model.checkpoint"));
    CHECK(read_metrics(sets().path("earlier")).size() == 2);
}

TEST_CASE("without data, the CIFAR programs say how to get it", "[host]") {
    CHECK(run_program("radial-cifar100", "train").first_error() ==
          "radial-cifar100 train: no data folder: give --data DIR, or set RADIAL_DATA to a folder that holds "
          "cifar-100-binary/. 'radial-cifar100 download DIR' fetches CIFAR-100");
}

TEST_CASE("the CIFAR programs ask a mirror for their archive", "[host]") {
    for (const std::string set : {"10", "100"}) {
        const HttpServer server({.content = "not an archive"});
        const TemporaryFolder folder;
        const std::string program = "radial-cifar" + set, file = "/cifar-" + set + "-binary.tar.gz";
        const ProgramResult result =
            run_program(program, fmt::format("download {} --mirror {}", folder.path().string(), server.url("/")));
        CHECK(result.status == 1);
        CHECK(result.first_error() == fmt::format("{} download: {}: 14 bytes, expected {}; deleted", program,
                                                  server.url(file), set == "10" ? 170052171 : 168513733));
        CHECK(server.requests().front().path == file);
    }
}

TEST_CASE("no augmentation is asked for by zeros as by --no-augment", "[host]") {
    CHECK(describe(train::AugmentationOptions{}) == "none");
    CHECK(make_transforms(train::AugmentationOptions{}).normalised.empty());
    const train::AugmentationOptions off{.crop_padding = 4, .flip = 0.5, .off = true};
    CHECK(describe(off) == "none");
    CHECK(make_transforms(off).normalised.empty());
    CHECK(train::make_transforms({.crop_padding = 4, .flip = 0.5, .cutout = 8, .erasing = 0.1}).normalised.size() == 4);
}

}  // namespace radial::test
