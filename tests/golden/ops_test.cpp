// Compares every op of core/ops.h and losses/functional.h with PyTorch: values and gradients, in both layouts. The
// table of the ops is in core/ops/every_op.h.
#include "../core/ops/every_op.h"
#include "../folders.h"

#include <fstream>
#include <iterator>
#include <regex>
#include <set>

namespace radial::test {
namespace {

void check_family(const OpFamily& family) {
    for (const OpUnderTest& op : family) check_all_golden(op.fixture, op.name, op.cases, op.call);
}

void check_graphs(const std::vector<const OpFamily*>& families) {
    for (const OpFamily* family : families) {
        for (const OpUnderTest& op : *family) {
            for (const GoldenCase& golden : op.recorded()) {
                for (const GoldenRun& run : golden_runs(golden)) {
                    INFO(golden.name << ", " << run.str());
                    check_golden_graph(golden, run, op.call);
                }
            }
        }
    }
}

/// The names of the table's ops that are compared with cases of this file, and the names of the file's ops.
std::pair<std::set<std::string>, std::set<std::string>> tested_and_recorded(const std::string& fixture) {
    std::set<std::string> tested, recorded;
    for (const OpFamily* family : every_op())
        for (const OpUnderTest& op : *family)
            if (op.fixture == fixture) tested.insert(op.name);
    for (const GoldenCase& golden : golden_cases(fixture)) recorded.insert(golden.op);
    return {tested, recorded};
}

// Tested elsewhere: the fused convolution is compared with conv2d and separate ops (core/ops/conv_test), activated()
// with the ops that it calls (core/ops/activation_test), and count_equal is tested in core/ops/reduce_test.
const std::set<std::string> compared_elsewhere = {"conv2d_activated", "activated", "count_equal"};

void add_declared(const std::string& header, std::set<std::string>& names) {
    std::ifstream text(test_folder() + "/../" + header);
    const std::regex declaration(R"(^(?:Tensor|Sorted) ([a-z]\w*)\()");
    std::smatch match;
    for (std::string line; std::getline(text, line);)
        if (std::regex_search(line, match, declaration) && !compared_elsewhere.contains(match[1].str()))
            names.insert(match[1]);
}

/// The ops that the headers in core/ops.h declare, and with them those of losses/functional.h.
std::set<std::string> general_ops() {
    std::set<std::string> names;
    std::ifstream catalogue(test_folder() + "/../core/ops.h");
    const std::regex include(R"re(^#include "radial/(core/ops/\w+\.h)")re");
    std::smatch match;
    for (std::string line; std::getline(catalogue, line);)
        if (std::regex_search(line, match, include)) add_declared(match[1], names);
    return names;
}
std::set<std::string> declared_ops() {
    std::set<std::string> names = general_ops();
    add_declared("losses/functional.h", names);
    return names;
}

}  // namespace

TEST_CASE("elementwise ops agree with PyTorch", "[golden]") { check_family(elementwise_ops()); }
TEST_CASE("activations agree with PyTorch", "[golden]") { check_family(activation_ops()); }
TEST_CASE("reductions agree with PyTorch", "[golden]") { check_family(reduction_ops()); }
TEST_CASE("shape ops agree with PyTorch", "[golden]") { check_family(shape_ops()); }
TEST_CASE("matrix products agree with PyTorch", "[golden]") { check_family(product_ops()); }
TEST_CASE("convolutions and pooling agree with PyTorch", "[golden]") { check_family(conv_ops()); }
TEST_CASE("normalisations agree with PyTorch", "[golden]") { check_family(norm_ops()); }
TEST_CASE("softmax and the fused losses agree with PyTorch", "[golden]") { check_family(softmax_ops()); }

TEST_CASE("dropout keeps the elements whose Philox number is at least p", "[golden]") { check_family(random_ops()); }

TEST_CASE("the heads agree with PyTorch in every margin and option, kept or recomputed", "[golden]") {
    check_family(head_ops());
    check_family(recomputed_head_ops());
}

TEST_CASE("distances, cosines, lengths and their kin agree with PyTorch", "[golden]") {
    check_family(comparison_ops());
}

TEST_CASE("ops over pairs of a batch agree with PyTorch", "[golden][pairs]") { check_family(pair_ops()); }

TEST_CASE("every op of core/ops.h and losses/functional.h is compared with PyTorch", "[golden]") {
    std::set<std::string> all_tested, all_recorded;
    for (const std::string fixture :
         {"ops.safetensors", "elementwise_ops.safetensors", "shape_ops.safetensors", "reduce_ops.safetensors",
          "norm_ops.safetensors", "conv_ops.safetensors", "term_ops.safetensors", "zoo_ops.safetensors",
          "head_ops.safetensors", "pair_ops.safetensors"}) {
        const auto [tested, recorded] = tested_and_recorded(fixture);
        all_tested.insert(tested.begin(), tested.end());
        all_recorded.insert(recorded.begin(), recorded.end());
    }
    REQUIRE(declared_ops().size() > 30);
    CHECK(all_tested == declared_ops());
    CHECK(all_recorded == declared_ops());
}

TEST_CASE("docs/catalogue.md lists every op of core/ops.h", "[golden][host]") {
    std::ifstream file(test_folder() + "/../docs/catalogue.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    for (const std::string& name : general_ops()) {
        INFO(name);
        CHECK(page.find("`" + name + "`") != std::string::npos);
    }
}

TEST_CASE("every recorded head is compared", "[golden][host]") {
    const auto [tested, recorded] = tested_and_recorded("head_ops.safetensors");
    CHECK(tested == recorded);
}

TEST_CASE("every recorded op over pairs is compared", "[golden][pairs][host]") {
    const auto [tested, recorded] = tested_and_recorded("pair_ops.safetensors");
    CHECK(tested == recorded);
}

TEST_CASE(
    "every op of core/ops.h and losses/functional.h runs on a device without waiting for it, forward and backward",
    "[golden][device]") {
    check_graphs({&elementwise_ops(), &activation_ops(), &reduction_ops(), &shape_ops(), &product_ops(), &conv_ops(),
                  &norm_ops(), &softmax_ops(), &random_ops()});
}

TEST_CASE("every head runs on a device without waiting for it, forward and backward", "[golden][device]") {
    check_graphs({&head_ops(), &comparison_ops()});
}

TEST_CASE("every op over pairs runs on a device without waiting for it, forward and backward",
          "[golden][pairs][device]") {
    check_graphs({&pair_ops()});
}

}  // namespace radial::test
