// Tests that run radial-models as a user does.
#include "../../expect.h"
#include "../weights_folder.h"

#include <algorithm>

namespace radial::test {
namespace {

ProgramResult models(const std::string& arguments) { return run_program("radial-models", "--threads 2 " + arguments); }

std::string problem(const std::string& arguments) {
    const ProgramResult result = models(arguments);
    CHECK(result.status == 1);
    const std::string prefix = "radial-models: ";
    return result.first_error().starts_with(prefix) ? result.first_error().substr(prefix.size())
                                                    : "(no name) " + result.first_error();
}

}  // namespace

TEST_CASE("the list has every network and its published cost", "[host][models][slow]") {
    const ProgramResult result = models("--json");
    REQUIRE(result.status == 0);
    const auto list = nlohmann::json::parse(result.out);
    REQUIRE(list.size() == model_registry().size());
    for (std::size_t i = 0; i < list.size(); ++i) CHECK(list[i].at("name") == model_registry()[i].name);
    const auto resnet50 =
        std::find_if(list.begin(), list.end(), [](const auto& m) { return m.at("name") == "resnet50"; });
    REQUIRE(resnet50 != list.end());
    CHECK(resnet50->at("parameters") == 25557032);
    CHECK(resnet50->at("multiply_adds") == 4089185256);
    CHECK(resnet50->at("activations") == 11114984);
    CHECK(resnet50->at("input") == std::vector<int>{3, 224, 224});
    CHECK(resnet50->at("feature") == 2048);
    CHECK(resnet50->at("classes") == 1000);
    CHECK(resnet50->at("family") == "resnet");
}

TEST_CASE("one network's line has its numbers in groups of three digits", "[host][models]") {
    const ProgramResult result = models("--model resnet20");
    CHECK(result.status == 0);
    CHECK(result.out ==
          "model                 parameters     multiply-adds   activations            input  feature  classes\n"
          "resnet20                 269,722        40,551,050       188,426      3 x 32 x 32       64       10\n");
}

TEST_CASE("a summary lists the layers in their order and adds them up", "[host][models]") {
    const ProgramResult result = models("--model resnet20 --summary");
    REQUIRE(result.status == 0);
    const auto place = [&](const std::string& text) {
        INFO(text);
        REQUIRE(result.out.find(text) != std::string::npos);
        return result.out.find(text);
    };
    CHECK(place("resnet20: He et al. 2016, 4.2, input 3 x 32 x 32\n") == 0);
    CHECK(place("\nconv1 ") < place("\nlayer1.0.conv1 "));
    CHECK(place("\nlayer3.2.bn2 ") < place("\n(classifier) "));
    CHECK(result.out.ends_with("\n\n269,722 parameters, 40,551,050 multiply-adds, 188,426 activations\n"));
}

TEST_CASE("weights go to Radial's names and back to the same bytes", "[host][models]") {
    const WeightsFolder folder;
    const std::string own = (folder / "own").string(), back = (folder / "back").string();
    const ProgramResult there = models("--model resnet20 --weights " + folder.weights + " --export " + own);
    CHECK(there.error == "");
    CHECK(there.out == own + ": resnet20 with 7 classes, names of radial\n");
    CHECK(read_safetensors(own).metadata.at("loss") == "softmax");
    const ProgramResult again = models("--weights " + own + " --format torchvision --export " + back);
    CHECK(again.error == "");
    CHECK(differences(read_text(back), read_text(folder.weights)) == "");
}

TEST_CASE("a checkpoint becomes an ONNX file with its classes", "[host][models][onnx]") {
    const WeightsFolder folder;
    const std::string written = (folder / "net.onnx").string();
    const ProgramResult result =
        models("--model resnet20 --weights " + folder.weights + " --format onnx --export " + written);
    if (result.error.find("no ONNX library") != std::string::npos) {
        WARN("radial-models was built without ONNX");
        return;
    }
    CHECK(result.error == "");
    CHECK(result.out == written + ": resnet20 with the loss softmax and 7 classes, for images of 32 x 32 pixels\n");
    CHECK(read_text(written).find("\x05model\x12\x08resnet20") != std::string::npos);
    CHECK(models("--model resnet20 --size 40 --weights " + folder.weights + " --format onnx --export " + written).out ==
          written + ": resnet20 with the loss softmax and 7 classes, for images of 40 x 40 pixels\n");
}

TEST_CASE("the size of an export is for ONNX", "[host][models]") {
    const WeightsFolder folder;
    CHECK(problem("--model resnet20 --size 40 --weights " + folder.weights + " --export x") ==
          "--size: is for --format onnx");
}

TEST_CASE("a loss without a linear classifier has no other program's names", "[host][models]") {
    const TemporaryFolder folder;
    write_patterns(folder / "data", 100, 20);
    const std::string run = (folder / "run").string();
    REQUIRE(run_program("radial-mnist",
                        "train --threads 2 --epochs 1 --data " + (folder / "data").string() + " --out " + run)
                .status == 0);
    const std::string given = "--weights " + run + "/checkpoint.safetensors --export " + (folder / "x").string();
    CHECK(problem(given + " --format torchvision") ==
          "torchvision: has no format for the loss rbf-softmax, only for softmax with a bias");
    CHECK_FALSE(std::filesystem::exists(folder / "x"));
    // The converted file keeps the class names and pixel statistics.
    CHECK(models(given).status == 0);
    const auto before = read_safetensors(run + "/checkpoint.safetensors"), after = read_safetensors(folder / "x");
    for (const char* const key : {"class_names", "mean", "std", "model", "loss", "loss.gamma"})
        CHECK(after.metadata.at(key) == before.metadata.at(key));
}

TEST_CASE("radial-models says what is missing or unknown", "[host][models]") {
    const WeightsFolder folder;
    CHECK(problem("--summary") == "--summary: of which network? Give --model NAME");
    CHECK(problem("--model resnet5")
              .starts_with("no model is called \"resnet5\"; did you mean resnet56? The models are "));
    CHECK(problem("--export x") == "--weights and --export go together");
    CHECK(problem("--weights " + folder.weights) == "--weights and --export go together");
    CHECK(problem("--weights " + folder.weights + " --export x --format keras") ==
          "--format: 'keras', expected onnx, radial, torchvision or timm");
    CHECK(problem("--weights " + folder.weights + " --export x") ==
          folder.weights + ": does not say which network's weights it holds: give --model NAME");
    const std::string other = problem("--weights " + folder.weights + " --model resnet32 --export x");
    CHECK(other.substr(0, other.find(';')) ==
          folder.weights + ": not the weights of resnet32: \"layer1.3.bn1.weight\" is missing");
}

}  // namespace radial::test
