// Tests of the benchmark program's report.
#include "../../catch.h"
#include "../program.h"

namespace radial::test {

TEST_CASE("the step benchmark reports time, speed, memory and arithmetic as JSON", "[host]") {
    const ProgramResult result =
        run_program("radial-bench", "step --model lenetpp --batch 4 --threads 2 --dim 2 --steps 3 --warmup 1 --json");
    REQUIRE(result.status == 0);
    const auto json = nlohmann::json::parse(result.out);
    const double milliseconds = json.at("milliseconds");
    CHECK(json.at("milliseconds_min") <= milliseconds);
    CHECK(json.at("milliseconds_upper_quartile") >= milliseconds);
    CHECK(json.at("images_per_second").get<double>() == Approx(4000 / milliseconds));
    CHECK(json.at("threads") == 2);
    // The weights, their gradients and their momenta alone need three times 797,622 floats.
    CHECK(json.at("peak_tensor_bytes").get<double>() > 3 * 4 * 797622.0);
    CHECK(json.at("peak_resident_bytes") > json.at("peak_tensor_bytes"));
    // Computed by hand, per image: 2 * (3 * (627200 + 20070400 + 10035200 + 20070400 + 10035200 + 20070400 + 2304 + 20)
    // - 627200).
    CHECK(json.at("gflop").get<double>() == Approx(4 * 484.212344e-3));
    CHECK(json.at("gflop_per_second").get<double>() == Approx(1000 * 4 * 484.212344e-3 / milliseconds));
}

TEST_CASE("the step benchmark takes a model's own image, classes and feature where none are given", "[host]") {
    const ProgramResult result =
        run_program("radial-bench", "step --model resnet20 --batch 2 --threads 2 --steps 1 --warmup 2 --json");
    REQUIRE(result.status == 0);
    const auto json = nlohmann::json::parse(result.out);
    CHECK(json.at("image") == 32);
    CHECK(json.at("classes") == 10);
    CHECK(json.at("dim") == 64);
    CHECK(json.at("precision") == "float32");
    CHECK(json.at("graph") == "off");
    CHECK(json.at("losses").size() == 3);
    for (const double loss : json.at("losses")) CHECK(loss > 0);
    // The count of PyTorch's FlopCounterMode for the network, plus the products with ten prototypes.
    CHECK(json.at("gflop").get<double>() == Approx(2e-9 * (242417664.0 + 6 * 64 * 10)));
}

TEST_CASE("the step benchmark counts the arithmetic of a bottleneck network at any size of image", "[host]") {
    const ProgramResult result = run_program("radial-bench",
                                             "step --model resnet50 --loss softmax --image 64 --classes 7 --batch 1 "
                                             "--threads 2 --steps 1 --warmup 0 --json");
    REQUIRE(result.status == 0);
    const auto json = nlohmann::json::parse(result.out);
    CHECK(json.at("classes") == 7);
    CHECK(json.at("gflop").get<double>() == Approx(1e-9 * (1982595072.0 + 6 * 2048 * 7)));
}

TEST_CASE("the step benchmark measures whole blocks of steps", "[host]") {
    const ProgramResult result =
        run_program("radial-bench", "step --batch 2 --threads 1 --steps 5 --block 2 --warmup 1 --json");
    REQUIRE(result.status == 0);
    CHECK(nlohmann::json::parse(result.out).at("steps") == 6);
}

TEST_CASE("the step benchmark times evaluation, forward alone and the same at each step", "[host]") {
    const ProgramResult result = run_program(
        "radial-bench", "step --model resnet20 --batch 2 --threads 2 --steps 3 --warmup 0 --evaluate --json");
    REQUIRE(result.status == 0);
    const auto json = nlohmann::json::parse(result.out);
    CHECK(json.at("evaluate") == true);
    CHECK(json.at("gflop").get<double>() == Approx(2 * 2e-9 * (40550400.0 + 64 * 10)));
    const auto losses = json.at("losses").get<std::vector<double>>();
    CHECK(losses == std::vector<double>(3, losses.front()));
    CHECK(run_program("radial-bench", "step --evaluate --graph on").first_error() ==
          "radial-bench step: --evaluate: there is no graph to record, expected --graph off");
}

TEST_CASE("the step benchmark refuses a precision that is none", "[host]") {
    const ProgramResult result = run_program("radial-bench", "step --batch 2 --precision half");
    CHECK(result.status == 2);
    CHECK(result.first_error() == "radial-bench step: --precision: half not in {float32,tf32,bf16}");
}

TEST_CASE("the step benchmark says what it cannot measure", "[host]") {
    const auto error_of_step = [](const std::string& flags) {
        const ProgramResult result = run_program("radial-bench", "step --batch 2 " + flags);
        CHECK(result.status == 1);
        return result.first_error();
    };
    CHECK(error_of_step("--precision tf32") ==
          "radial-bench step: precision tf32: only CUDA devices have it, the device is cpu");
    CHECK(error_of_step("--graph on") == "radial-bench step: --graph on: a step on the CPU is not recorded");
    CHECK(error_of_step("--graph yes") == "radial-bench step: --graph is 'yes', expected on or off");
    CHECK(error_of_step("--device gpu").find("gpu") != std::string::npos);
    CHECK(error_of_step("--model resnet20 --dim 32") ==
          "radial-bench step: resnet20: its feature has 64 dimensions, not 32");
    CHECK(error_of_step("--image 32") ==
          "radial-bench step: LeNetPlusPlus: input has shape [2, 1, 32, 32], expected [N, 1, 28, 28]");
}

TEST_CASE("the step benchmark prints a table without --json", "[host]") {
    const ProgramResult result = run_program("radial-bench", "step --batch 2 --threads 1 --steps 1 --warmup 0");
    CHECK(result.status == 0);
    CHECK(result.out.find("images a second") != std::string::npos);
}

TEST_CASE("the step benchmark refuses an unknown model with the nearest one", "[host]") {
    const ProgramResult result = run_program("radial-bench", "step --model lenetp");
    CHECK(result.status == 1);
    CHECK(result.first_error().starts_with("radial-bench step: no model is called \"lenetp\"; did you mean lenetpp?"));
}

TEST_CASE("parity compares every loss of a short run and writes them all", "[host]") {
    const TemporaryFolder folder;
    const std::string file = (folder / "parity.json").string();
    const ProgramResult result = run_program(
        "radial-bench", "parity --device cpu --models lenetpp --steps 2 --batch 2 --threads 1 --json " + file);
    INFO(result.error);
    CHECK(result.status == 0);
    const auto json = nlohmann::json::parse(read_text(file));
    REQUIRE(json.at("runs").size() == 2);
    const auto& single = json.at("runs")[0];
    CHECK(single.at("model") == "lenetpp");
    CHECK(single.at("precision") == "float32");
    CHECK(single.at("cpu_losses").size() == 2);
    CHECK(single.at("device_losses") == single.at("cpu_losses"));
    CHECK(single.at("worst") == 0.0);
    const auto& half = json.at("runs")[1];
    CHECK(half.at("precision") == "bf16");
    CHECK(half.at("worst") > 0.0);
    CHECK(half.at("worst") <= half.at("limit").get<double>());
}

TEST_CASE("parity refuses an unknown model and a device that is not there", "[host]") {
    const auto error_of_parity = [](const std::string& flags) {
        const ProgramResult result = run_program("radial-bench", "parity " + flags);
        CHECK(result.status == 1);
        return result.first_error();
    };
    CHECK(error_of_parity("--device cpu --models lenetp")
              .starts_with("radial-bench parity: no model is called \"lenetp\"; did you mean lenetpp?"));
    CHECK(error_of_parity("--device cuda:9").starts_with("radial-bench parity: no CUDA device: "));
}

}  // namespace radial::test
