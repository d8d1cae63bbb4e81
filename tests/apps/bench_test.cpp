// The benchmark program's report.
#include "../catch.h"
#include "program.h"

namespace radial::test {

TEST_CASE("the step benchmark reports time, speed, memory and arithmetic as JSON") {
    const ProgramResult result =
        run_program("radial-bench", "step --model lenetpp --batch 4 --threads 2 --dim 2 --steps 3 --warmup 1 --json");
    REQUIRE(result.status == 0);
    const auto json = nlohmann::json::parse(result.out);
    const double milliseconds = json.at("milliseconds");
    CHECK(json.at("milliseconds_min") <= milliseconds);
    CHECK(json.at("milliseconds_upper_quartile") >= milliseconds);
    CHECK(json.at("images_per_second").get<double>() == Approx(4000 / milliseconds));
    CHECK(json.at("threads") == 2);
    // At least the weights, their gradients and their momenta: three times 797,622 floats.
    CHECK(json.at("peak_tensor_bytes").get<double>() > 3 * 4 * 797622.0);
    CHECK(json.at("peak_resident_bytes") > json.at("peak_tensor_bytes"));
    // By hand: 2 * (3 * (627200 + 20070400 + 10035200 + 20070400 + 10035200 + 20070400 + 2304 + 20) - 627200) an image.
    CHECK(json.at("gflop").get<double>() == Approx(4 * 484.212344e-3));
    CHECK(json.at("gflop_per_second").get<double>() == Approx(1000 * 4 * 484.212344e-3 / milliseconds));
}

TEST_CASE("the step benchmark prints a table without --json") {
    const ProgramResult result = run_program("radial-bench", "step --batch 2 --threads 1 --steps 1 --warmup 0");
    CHECK(result.status == 0);
    CHECK(result.out.find("images a second") != std::string::npos);
}

TEST_CASE("the step benchmark refuses an unknown model with the nearest one") {
    const ProgramResult result = run_program("radial-bench", "step --model lenetp");
    CHECK(result.status == 1);
    CHECK(result.first_error() == "radial-bench step: unknown model 'lenetp'; did you mean lenetpp?");
}

}  // namespace radial::test
