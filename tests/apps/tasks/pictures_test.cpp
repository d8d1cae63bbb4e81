// Tests of `radial-train`: training on a user's own pictures, holding out pictures, and starting from the weights of a
// file.
#include "../../data/pictures.h"
#include "../../expect.h"
#include "../program.h"
#include "radial/core/tensor/random.h"
#include "radial/models/weight_file.h"

#include <fmt/core.h>

#include <cstdlib>
#include <iostream>
#include <map>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A folder with the recorded pictures in two classes, with or without train/ and val/, and a run.
class Pictures {
public:
    explicit Pictures(bool in_sets) {
        const std::vector<std::string> names = recorded_files();
        for (std::size_t i = 0; i < names.size(); ++i)
            for (const char* const set : in_sets ? std::vector{"train/", "val/"} : std::vector{""})
                scratch_.write(fmt::format("data/{}{}/{}", set, i % 2 == 0 ? "cat" : "dog", names[i]),
                               recorded_bytes(names[i]));
    }
    fs::path path(const std::string& name) const { return scratch_.path() / name; }
    ProgramResult train(const std::string& arguments, int epochs = 2) const {
        return run_program("radial-train", fmt::format("train --data {} --out {} --image-size 32 --batch 4 --epochs {} "
                                                       "--warmup-epochs 0 --threads 2 --overwrite {}",
                                                       path("data").string(), path("run").string(), epochs, arguments));
    }
    ProgramResult eval(const std::string& arguments) const {
        return run_program("radial-train",
                           fmt::format("eval --checkpoint {} --data {} --threads 2 {}",
                                       path("run/checkpoint.safetensors").string(), path("data").string(), arguments));
    }
    void add(const std::string& name) const {
        scratch_.write("data/" + name, recorded_bytes(recorded_files().front()));
    }
    /// Writes weights of ResNet-18 for `classes` classes with torchvision's names, and returns the path of the file.
    fs::path write_resnet18(std::int64_t classes) const {
        manual_seed(5);
        const ModelInfo& info = *find_model("resnet18");
        const LinearClassifier classifier{.weight = Tensor::full({classes, 512}, 0.01),
                                          .bias = Tensor::zeros({classes})};
        write_weights(path("resnet18.safetensors"), info, *make_model(info, 512), classifier,
                      WeightFormat::torchvision);
        return path("resnet18.safetensors");
    }

private:
    Scratch scratch_;
};

/// Returns the elements of the float32 tensors in a file, by name.
std::map<std::string, std::vector<float>> tensors_of(const fs::path& file) {
    std::map<std::string, std::vector<float>> tensors;
    for (const auto& [name, tensor] : read_safetensors(file).tensors)
        if (tensor.dtype() == DType::float32) tensors.emplace(name, tensor.to_vector<float>());
    return tensors;
}

}  // namespace

TEST_CASE("radial-train holds pictures out of a folder of classes, and eval finds the same ones again",
          "[host][slow]") {
    const Pictures pictures(false);
    const ProgramResult trained = pictures.train("--val-split 0.25 --seed 0");
    INFO(trained.error);
    REQUIRE(trained.status == 0);
    CHECK(contains(trained.out,
                   fmt::format("data: 6 training and 2 validation images from {}\n", pictures.path("data").string())));
    const ProgramResult evaluated = pictures.eval("--part val");
    INFO(evaluated.error);
    REQUIRE(evaluated.status == 0);
    const double accuracy = read_metrics(pictures.path("run")).back().at("test_accuracy");
    const std::string line = fmt::format("validation accuracy: {:.2f}% ", 100 * accuracy);
    CHECK(contains(evaluated.out, line));
    CHECK(contains(trained.out, fmt::format("validation accuracy: last {:.2f}%, best ", 100 * accuracy)));
    CHECK(pictures.eval("").first_error() ==
          fmt::format("radial-train eval: {}: no val/ in this folder; hold out some of the training pictures with "
                      "--val-split 0.2",
                      pictures.path("data").string()));

    const ProgramResult resumed =
        run_program("radial-train", fmt::format("train --resume {} --epochs 3", pictures.path("run").string()));
    INFO(resumed.error);
    REQUIRE(resumed.status == 0);
    CHECK(contains(resumed.out, "epoch 3/3: loss "));
    CHECK(pictures.eval("--part val").status == 0);

    pictures.add("cat/another.jpg");
    CHECK(contains(pictures.eval("--part val").first_error(), "the run had 6 training images"));
}

TEST_CASE("a run without --val-split has no held-out pictures to evaluate", "[host][slow]") {
    const Pictures pictures(true);
    REQUIRE(pictures.train("", 1).status == 0);
    CHECK(pictures.eval("").status == 0);
    CHECK(pictures.eval("--part val").first_error() ==
          fmt::format("radial-train eval: --part val: {} is of a run without --val-split",
                      pictures.path("run/checkpoint.safetensors").string()));
}

TEST_CASE("radial-train starts from torchvision's weights and keeps a frozen network bit for bit", "[host][slow]") {
    const Pictures pictures(true);
    const fs::path weights = pictures.write_resnet18(1000);
    const ProgramResult trained =
        pictures.train(fmt::format("--weights {} --freeze backbone --ema 0.9 --loss softmax", weights.string()));
    INFO(trained.error);
    REQUIRE(trained.status == 0);
    CHECK(contains(trained.out,
                   "weights: 100 tensors of resnet18; the classifier is new, because the file has 1000 "
                   "classes, the data set 2\n"));
    CHECK(contains(trained.out, "frozen: conv1 to layer4.1, 11176512 of 11177538 parameters\n"));
    const auto given = tensors_of(weights), kept = tensors_of(pictures.path("run/checkpoint.safetensors"));
    std::size_t same = 0;
    for (const auto& [name, values] : given)
        if (!name.starts_with("fc.")) same += kept.at("model." + name) == values ? 1 : 0;
    CHECK(same == 100);

    // The run can be resumed without the file of its initial weights.
    fs::remove(weights);
    const ProgramResult resumed =
        run_program("radial-train", fmt::format("train --resume {} --epochs 3", pictures.path("run").string()));
    INFO(resumed.error);
    CHECK(resumed.status == 0);
    const auto later = tensors_of(pictures.path("run/checkpoint.safetensors"));
    CHECK(later.at("model.conv1.weight") == given.at("conv1.weight"));
    CHECK(later.at("model.bn1.running_mean") == given.at("bn1.running_mean"));
    CHECK(later.at("loss.weight") != kept.at("loss.weight"));
}

TEST_CASE("radial-train trains the later blocks of a network when the first are frozen", "[host][slow]") {
    const Pictures pictures(true);
    const fs::path weights = pictures.write_resnet18(2);
    const ProgramResult trained = pictures.train(
        fmt::format("--weights {} --freeze layer3 --backbone-lr 0.1 --optimizer adamw --lr 0.001 --loss softmax "
                    "--accumulate 2",
                    weights.string()),
        1);
    INFO(trained.error);
    REQUIRE(trained.status == 0);
    CHECK(contains(trained.out, "weights: 100 tensors of resnet18; the classifier is the file's\n"));
    CHECK(contains(trained.out, "frozen: conv1 to layer3.1, "));
    const auto given = tensors_of(weights), after = tensors_of(pictures.path("run/checkpoint.safetensors"));
    for (const auto& [name, values] : given) {
        if (name.starts_with("fc.")) continue;
        INFO(name);
        CHECK((after.at("model." + name) == values) == !name.starts_with("layer4"));
    }
}

TEST_CASE("radial-train fine-tunes ResNet-18 on the sample of ImageNet if there is one", "[host][slow]") {
    const char* const folder = std::getenv("RADIAL_DATA");
    const fs::path data = fs::path(folder == nullptr ? "" : folder) / "imagenet-mini";
    if (!fs::is_directory(data)) {
        std::cout << "RADIAL_DATA has no imagenet-mini: a test is skipped\n";
        return;
    }
    const Pictures pictures(true);
    const fs::path weights = pictures.write_resnet18(1000);
    const ProgramResult trained = run_program(
        "radial-train", fmt::format("train --data {} --out {} --weights {} --freeze layer2 --backbone-lr 0.1 "
                                    "--image-size 64 --val-split 0.2 --epochs 2 --patience 1",
                                    data.string(), pictures.path("run").string(), weights.string()));
    INFO(trained.error);
    REQUIRE(trained.status == 0);
    CHECK(contains(trained.out, "data: 240 training and 60 validation images"));
    const auto given = tensors_of(weights), after = tensors_of(pictures.path("run/best.safetensors"));
    CHECK(after.at("model.layer2.1.conv2.weight") == given.at("layer2.1.conv2.weight"));
    CHECK(after.at("model.layer2.1.bn2.running_var") == given.at("layer2.1.bn2.running_var"));
    CHECK(after.at("model.layer3.0.conv1.weight") != given.at("layer3.0.conv1.weight"));
    CHECK(run_program("radial-train", fmt::format("eval --data {} --checkpoint {} --part val", data.string(),
                                                  pictures.path("run/best.safetensors").string()))
              .status == 0);
    CHECK(run_program("radial-train", fmt::format("eval --data {} --checkpoint {}", data.string(),
                                                  pictures.path("run/best.safetensors").string()))
              .status == 0);
}

TEST_CASE("weights that do not fit are refused before training", "[host]") {
    const Pictures pictures(true);
    const std::string weights = pictures.write_resnet18(2).string();
    CHECK(contains(pictures.train("--model resnet34 --weights " + weights).first_error(),
                   "radial-train train: " + weights + ": "));
    CHECK(pictures.train("--dim 16 --weights " + weights).first_error() ==
          fmt::format("radial-train train: --weights {}: a network with a 512-D feature, --dim is 16", weights));
    CHECK(contains(pictures.train("--freeze layer9").first_error(),
                   "radial-train train: freeze: 'layer9' is not backbone, a number from 1 to 10 or one of the "
                   "network's parts: conv1, bn1, layer1.0"));
    CHECK(contains(pictures.train("--weights nowhere.safetensors").first_error(), "nowhere.safetensors"));
    CHECK(!fs::exists(pictures.path("run")));
}

TEST_CASE("radial-train check reads the pictures of a folder of classes", "[host]") {
    const Pictures pictures(false);
    const ProgramResult checked = run_program("radial-train", "check " + pictures.path("data").string());
    INFO(checked.error);
    CHECK(checked.status == 0);
    CHECK(
        contains(checked.out, fmt::format("{}: 8 pictures of 2 classes, 4 in each\n", pictures.path("data").string())));
    CHECK(contains(checked.out, "\nshorter sides: "));
    CHECK(contains(checked.out, "all 8 files can be read\n"));
    CHECK(!contains(checked.out, "note: "));
}

TEST_CASE("check names copies of pictures and classes of one picture", "[host]") {
    const Pictures pictures(false);
    const std::string original = fmt::format("{}/cat/{}", pictures.path("data").string(), recorded_files().front());
    pictures.add("cat/zebra.jpg");
    pictures.add("rare/same.jpg");
    const ProgramResult checked = run_program("radial-train", "check " + pictures.path("data").string());
    CHECK(checked.status == 0);
    CHECK(contains(checked.out,
                   ": 10 pictures of 3 classes, 1 to 5 in each\nnote: the class rare has one picture only\n"));
    CHECK(contains(checked.out, fmt::format("\nnote: {}/cat/zebra.jpg is a copy of {}\n",
                                            pictures.path("data").string(), original)));
    CHECK(contains(checked.out, fmt::format("\nnote: {}/rare/same.jpg is a copy of {}, which has another class\n",
                                            pictures.path("data").string(), original)));
}

TEST_CASE("a run cannot be resumed with weights or a frozen part that it was started without", "[host][slow]") {
    const Pictures pictures(true);
    REQUIRE(pictures.train("", 1).status == 0);
    CHECK(contains(run_program("radial-train", fmt::format("train --resume {} --epochs 2 --freeze backbone",
                                                           pictures.path("run").string()))
                       .first_error(),
                   "--resume: --freeze is \"backbone\", the run that goes on was started without it"));
}

}  // namespace radial::test
