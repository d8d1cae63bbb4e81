// Tests of `radial-predict --reject` and `--score` with output as text, as a table and as tensors.
#include "../../expect.h"
#include "../program.h"
#include "../weights_folder.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/scores.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

#include <cmath>
#include <sstream>

namespace radial::test {
namespace {

ProgramResult predict(const std::string& arguments) {
    return run_program("radial-predict", "--threads 2 --top 1 " + arguments);
}

/// A folder with a checkpoint of an untrained RBF-Softmax network, and images for it.
struct KernelFolder : WeightsFolder {
    train::Classifier classifier;
    Tensor images = Tensor::empty({5, 3, 32, 32});
    std::string checkpoint = (*this / "rbf.safetensors").string(), input = (*this / "in").string(),
                output = (*this / "out").string();

    KernelFolder() {
        manual_seed(4);
        classifier = train::build_classifier(
            {.model = "resnet20", .dim = 64, .loss = "rbf-softmax", .loss_settings = {{"gamma", 60}}, .classes = 7});
        train::save_classifier(checkpoint, classifier, {});
        normal_(images, 0, 1);
        write_safetensors(input, {{{"input", images}}, {}});
    }
    /// Returns the scores of this name for `images`.
    std::vector<double> scores(const std::string& name) {
        const NoGrad no_grad;
        classifier.eval();
        const Tensor feature = classifier.model->forward(images);
        const auto all = train::scores_of(*classifier.loss, feature, classifier.loss->logits(feature));
        return train::score_named(all, name).values.to_vector<double>();
    }
};

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::string last_field(const std::string& line) { return line.substr(line.rfind(',') + 1); }

}  // namespace

TEST_CASE("images of a tensor below the threshold are marked, by the kernel unless another score is named",
          "[host][predict]") {
    KernelFolder folder;
    for (const std::string name : {"", "kernel", "probability", "energy"}) {
        INFO(name);
        const std::vector<double> expected = folder.scores(name);
        std::vector<double> sorted = expected;
        std::sort(sorted.begin(), sorted.end());
        const double threshold = (sorted[1] + sorted[2]) / 2;
        const ProgramResult result =
            predict(fmt::format("--batch 2 --weights {} --input {} --output {} --reject {} {}", folder.checkpoint,
                                folder.input, folder.output, threshold, name.empty() ? "" : "--score " + name));
        REQUIRE(result.error == "");
        CHECK(result.out.ends_with("\n2 of 5 images rejected\n"));
        const TensorFile out = read_safetensors(folder.output);
        CHECK(out.metadata.at("score") == (name.empty() ? "kernel" : name));
        const auto scores = out.at("score").to_vector<double>();
        const auto rejected = out.at("rejected").to_vector<int>();
        REQUIRE(scores.size() == 5);
        for (std::size_t i = 0; i < 5; ++i) {
            CHECK(scores[i] == Approx(expected[i]).epsilon(1e-4));
            CHECK(rejected[i] == (scores[i] < threshold ? 1 : 0));
        }
    }
}

TEST_CASE("a score without a threshold rejects nothing, and without either there is none", "[host][predict]") {
    KernelFolder folder;
    const std::string files =
        "--weights " + folder.checkpoint + " --input " + folder.input + " --output " + folder.output;
    REQUIRE(predict(files + " --score energy").status == 0);
    CHECK(read_safetensors(folder.output).contains("score"));
    CHECK_FALSE(read_safetensors(folder.output).contains("rejected"));
    REQUIRE(predict(files).status == 0);
    CHECK_FALSE(read_safetensors(folder.output).contains("score"));
}

TEST_CASE("the text and the table say which pictures are rejected", "[host][predict]") {
    const WeightsFolder folder;
    const std::string picture = folder.picture("rgb.png", "a.png"), csv = (folder / "out.csv").string();
    const std::string known = "--model resnet20 --weights " + folder.weights + " " + picture;
    REQUIRE(predict("--csv " + csv + " --score probability " + known).status == 0);
    const std::vector<std::string> scored = lines_of(read_text(csv));
    REQUIRE(scored.size() == 2);
    CHECK(scored[0] == "file,class_1,score_1,probability");
    const double probability = std::stod(last_field(scored[1]));
    CHECK(probability > 1.0 / 7);

    const std::string below = fmt::format("{:.6f}", probability / 2), above = fmt::format("{:.6f}", probability * 2);
    REQUIRE(predict("--csv " + csv + " --reject " + below + " " + known).status == 0);
    CHECK(lines_of(read_text(csv)).at(0) == "file,class_1,score_1,probability,rejected");
    CHECK(last_field(lines_of(read_text(csv)).at(1)) == "false");
    const ProgramResult table = predict("--csv " + csv + " --reject " + above + " " + known);
    CHECK(last_field(lines_of(read_text(csv)).at(1)) == "true");
    CHECK(table.out.ends_with("1 images: " + csv + "\n1 of 1 images rejected\n"));

    const std::string kept = predict("--reject " + below + " " + known).out;
    CHECK(kept.find(fmt::format("\n{}\n      probability {:.6g}\n", picture, probability)) != std::string::npos);
    CHECK(kept.ends_with("\n0 of 1 images rejected\n"));
    const std::string text = predict("--reject " + above + " " + known).out;
    CHECK(text.find(fmt::format("\n{}\n      rejected: probability {:.6g} is below {}\n", picture, probability,
                                std::stod(above))) != std::string::npos);
}

TEST_CASE("a score that the classifier does not have is refused with those that it has", "[host][predict]") {
    KernelFolder folder;
    const std::string files = "--input " + folder.input + " --output " + folder.output + " --score ";
    CHECK(
        predict("--weights " + folder.checkpoint + " " + files + "kernle").first_error() ==
        "radial-predict: there is no score \"kernle\"; the scores of this classifier are kernel, probability, energy");
    CHECK(predict("--model resnet20 --weights " + folder.weights + " " + files + "kernel").first_error() ==
          "radial-predict: there is no score \"kernel\"; the scores of this classifier are probability, energy");
}

TEST_CASE("a threshold that is not a number is refused", "[host][predict]") {
    KernelFolder folder;
    const std::string files =
        "--weights " + folder.checkpoint + " --input " + folder.input + " --output " + folder.output + " --reject ";
    CHECK(predict(files + "nan").first_error() == "radial-predict: --reject: nan is not a finite number");
    CHECK(predict(files + "inf").first_error() == "radial-predict: --reject: inf is not a finite number");
    CHECK(predict(files + "much").status == 2);
}

}  // namespace radial::test
