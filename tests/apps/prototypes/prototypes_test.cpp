// Tests of the similarities and clusters of prototypes, both of losses built in the test and of small runs with
// `radial-prototypes`.
#include "../../expect.h"
#include "../../folders.h"
#include "../program.h"
#include "radial/apps/prototypes/class_similarity.h"
#include "radial/apps/prototypes/wordnet.h"
#include "radial/train.h"

namespace radial::test {
namespace {

namespace fs = std::filesystem;
using train::Similarity;

/// A classifier of three classes with two-dimensional features and these prototypes.
train::Classifier classifier_with(const std::string& loss, const std::vector<float>& prototypes,
                                  const LossSettings& settings = {}) {
    train::Classifier classifier =
        train::build_classifier({.dim = 2, .loss = loss, .loss_settings = settings, .classes = 3});
    const Tensor rows = classifier.loss->prototypes();
    rows.copy_(Tensor::from(prototypes, rows.shape(), Device{}));
    return classifier;
}

/// Returns the similarities of classes 0 and 1, 0 and 2, 1 and 2. Checks that the matrix is symmetric.
std::vector<double> pairs_of(const train::Classifier& classifier, Similarity measure = Similarity::automatic) {
    const train::ClassSimilarity found = train::class_similarity(classifier, measure);
    REQUIRE(found.values.size() == 9);
    for (std::size_t a = 0; a < 3; ++a)
        for (std::size_t b = 0; b < 3; ++b) CHECK(found.values[3 * a + b] == found.values[3 * b + a]);
    return train::upper_triangle(found.values, 3);
}

void check_close(const std::vector<double>& found, const std::vector<double>& expected) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).epsilon(1e-6));
}

const std::vector<float> corner = {0, 0, 1, 0, 0, 2};

/// Ten classes in MNIST's files, runs on them, and files that assign synsets and superclasses to the classes.
class DigitRun {
public:
    DigitRun() {
        write_patterns(folder_ / "data", 40, 20);
        train("rbf", "--loss rbf-softmax --loss.gamma 3");
        train("soft", "--loss softmax");
        std::string synsets, superclasses;
        for (std::size_t c = 0; c < 10; ++c) {
            synsets += fmt::format("{} {}.n.01\n", c, things[c]);
            superclasses += fmt::format("{} {}\n", c, c % 2 == 0 ? "even" : "odd");
        }
        write_text(folder_ / "synsets.txt", synsets);
        write_text(folder_ / "superclasses.txt", superclasses);
    }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    std::string data() const { return " --set mnist --data " + path("data"); }
    std::string synsets() const {
        return " --wordnet " + test_folder() + "/golden/wordnet_small --synsets " + path("synsets.txt");
    }
    std::string superclasses() const { return " --superclasses " + path("superclasses.txt"); }
    nlohmann::json json(const std::string& name) const { return nlohmann::json::parse(read_text(folder_ / name)); }
    train::Classifier classifier(const std::string& run) const {
        return train::load_classifier(folder_ / run / "checkpoint.safetensors");
    }

    /// The words of the small database, one per class. Any two of them have a common hypernym.
    static constexpr std::array<const char*, 10> things = {"thing_bn", "thing_aa", "thing_ao", "thing_ac", "thing_aj",
                                                           "thing_ax", "thing_ae", "thing_al", "thing_as", "thing_az"};

private:
    void train(const std::string& name, const std::string& arguments) const {
        const ProgramResult result =
            run_program("radial-mnist", "train --dim 4 --epochs 1 --batch 20 --threads 2 --out " + path(name) +
                                            " --data " + path("data") + " " + arguments);
        INFO(result.error);
        REQUIRE(result.status == 0);
    }

    TemporaryFolder folder_;
};

const DigitRun& digits() {
    static const DigitRun run;
    return run;
}

ProgramResult prototypes(const std::string& arguments) { return run_program("radial-prototypes", arguments); }

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("prototypes of RBF-Softmax are compared by its kernel", "[host][prototypes]") {
    const train::Classifier classifier = classifier_with("rbf-softmax", corner, {{"gamma", 2.0}});
    check_close(pairs_of(classifier), {std::exp(-0.5), std::exp(-2.0), std::exp(-2.5)});
    const train::ClassSimilarity found = train::class_similarity(classifier, Similarity::automatic);
    CHECK(found.measure == Similarity::kernel);
    CHECK(found.description == "kernel exp(−‖w − v‖²/γ) of the prototypes, γ 2");
    CHECK(found.values[0] == 1);
}

TEST_CASE("a kernel has the trained gamma, in a sum too", "[host][prototypes]") {
    const train::Classifier sum =
        classifier_with("rbf-softmax + 0.01 * ring", corner, {{"rbf-softmax.gamma", 2.0}, {"learn_gamma", true}});
    for (const NamedTensor& each : sum.loss->state())
        if (each.name == "head.log_gamma") each.tensor.fill_(std::log(2.0));
    check_close(pairs_of(sum), {std::exp(-0.25), std::exp(-1.0), std::exp(-1.25)});
}

TEST_CASE("with a gamma for each class, the kernels of both count", "[host][prototypes]") {
    const train::Classifier classifier = classifier_with("rbf-softmax", corner, {{"per_class_gamma", true}});
    for (const NamedTensor& each : classifier.loss->state())
        if (each.name == "log_gamma") each.tensor.values<float>()[0] = std::log(2.0F);
    check_close(pairs_of(classifier),
                {(std::exp(-0.5) + std::exp(-1.0)) / 2, (std::exp(-2.0) + std::exp(-4.0)) / 2, std::exp(-5.0)});
}

TEST_CASE("weights of a softmax are compared by their cosine", "[host][prototypes]") {
    check_close(pairs_of(classifier_with("softmax", {1, 0, 3, 3, 0, -2})), {std::sqrt(0.5), 0, -std::sqrt(0.5)});
    check_close(pairs_of(classifier_with("softmax", corner)), {0, 0, 0});  // a zero vector has cosine 0
}

TEST_CASE("the nearest of several prototypes represents a class", "[host][prototypes]") {
    const train::Classifier classifier =
        classifier_with("cpl", {0, 0, 9, 9, 1, 0, 5, 5, 9, 7, 0, 3}, {{"prototypes_per_class", 2}});
    check_close(pairs_of(classifier), {-1, -4, -10});
}

TEST_CASE("a measure can be chosen", "[host][prototypes]") {
    const train::Classifier classifier = classifier_with("rbf-softmax", corner);
    check_close(pairs_of(classifier, Similarity::distance), {-1, -4, -5});
    check_close(pairs_of(classifier, Similarity::cosine), {0, 0, 0});
    CHECK(error_of([] { train::class_similarity(classifier_with("softmax", corner), Similarity::kernel); }) ==
          "the loss softmax has no kernel, only rbf-softmax has");
    const train::Classifier network = train::build_classifier({.dim = 2, .loss = "rbf-network", .classes = 3});
    CHECK(error_of([&] { train::class_similarity(network, Similarity::automatic); }) ==
          "the loss rbf-network has no prototypes");
}

TEST_CASE("similarity compares the prototypes of runs with WordNet", "[host][prototypes]") {
    const DigitRun& run = digits();
    const ProgramResult result = prototypes("similarity " + run.path("rbf") + " " + run.path("soft") + run.synsets() +
                                            " --out " + run.path("plain.html") + " --json " + run.path("plain.json"));
    INFO(result.error);
    REQUIRE(result.status == 0);
    const nlohmann::json json = run.json("plain.json");
    CHECK(json.at("wordnet_version") == "3.0");
    CHECK_FALSE(json.contains("superclasses"));
    const train::WordNet wordnet(test_folder() + "/golden/wordnet_small");
    std::vector<double> words;
    for (std::size_t a = 0; a < 10; ++a) {
        const std::string synset = std::string(DigitRun::things[a]) + ".n.01";
        CHECK(json.at("classes").at(a) == fmt::format("{}", a));
        CHECK(json.at("synsets").at(a) == synset);
        for (std::size_t b = a + 1; b < 10; ++b) {
            const std::string other = std::string(DigitRun::things[b]) + ".n.01";
            words.push_back(wordnet.wup_similarity(wordnet.synset(synset), wordnet.synset(other)).value());
            CHECK(json.at("wordnet_similarity").at(a).at(b) == words.back());
            CHECK(json.at("wordnet_similarity").at(b).at(a) == words.back());
        }
    }
    const std::vector<std::string> names = {"rbf", "soft"}, measures = {"kernel", "cosine"};
    for (std::size_t i = 0; i < 2; ++i) {
        const std::vector<double> pairs =
            train::upper_triangle(train::class_similarity(run.classifier(names[i]), Similarity::automatic).values, 10);
        const nlohmann::json& found = json.at("runs").at(i);
        const double pearson = train::pearson_correlation(pairs, words);
        CHECK(found.at("measure") == measures[i]);
        CHECK(found.at("similarity").at(0).at(1).get<double>() == Approx(pairs.front()).epsilon(1e-12));
        CHECK(found.at("similarity").at(8).at(9).get<double>() == Approx(pairs.back()).epsilon(1e-12));
        CHECK(found.at("pearson").get<double>() == Approx(pearson).epsilon(1e-9));
        CHECK(found.at("spearman").get<double>() == Approx(train::spearman_correlation(pairs, words)).epsilon(1e-9));
        CHECK(has(result.out, fmt::format("Pearson {:.4f}, Spearman", pearson)));
        CHECK(has(read_text(run.path("plain.html")), fmt::format("<td>{:.4f}</td>", pearson)));
    }
}

TEST_CASE("the page of similarities has a map for WordNet and for each run, by superclass", "[host][prototypes]") {
    const DigitRun& run = digits();
    const ProgramResult result =
        prototypes("similarity " + run.path("rbf") + run.synsets() + run.superclasses() + " --out " +
                   run.path("grouped.html") + " --json " + run.path("grouped.json"));
    INFO(result.error);
    REQUIRE(result.status == 0);
    const std::string page = read_text(run.path("grouped.html"));
    std::size_t images = 0;
    for (std::size_t at = page.find("<image "); at != std::string::npos; at = page.find("<image ", at + 1)) ++images;
    CHECK(images == 2);
    CHECK(has(page, "<b>1 even</b>: <span title=\"thing_bn.n.01\">0</span>, <span title=\"thing_ao.n.01\">2</span>"));
    CHECK(has(page, "<b>2 odd</b>: <span title=\"thing_aa.n.01\">1</span>"));
    for (const char* outside : {"http:", "https:", "<script", "<link", "url("}) CHECK_FALSE(has(page, outside));

    const nlohmann::json json = run.json("grouped.json");
    CHECK(json.at("classes") == nlohmann::json({"0", "2", "4", "6", "8", "1", "3", "5", "7", "9"}));
    CHECK(json.at("superclasses").at(4) == "even");
    CHECK(json.at("superclasses").at(5) == "odd");
    const train::ClassSimilarity own = train::class_similarity(run.classifier("rbf"), Similarity::automatic);
    double within = 0;
    for (std::size_t a = 0; a < 10; ++a)
        for (std::size_t b = a + 2; b < 10; b += 2) within += own.values[10 * a + b] / 20;
    const nlohmann::json& found = json.at("runs").at(0);
    CHECK(found.at("similarity").at(0).at(1).get<double>() == own.values[2]);
    CHECK(found.at("mean_within_superclasses").get<double>() == Approx(within).epsilon(1e-9));
}

TEST_CASE("what cannot be compared with WordNet is named", "[host][prototypes]") {
    const DigitRun& run = digits();
    const auto complaint = [](const std::string& arguments) {
        const ProgramResult result = prototypes("similarity " + arguments + " --out /nonexistent/page.html");
        CHECK(result.status == 1);
        return result.first_error();
    };
    const std::string small = " --wordnet " + test_folder() + "/golden/wordnet_small";
    CHECK(complaint(run.path("rbf") + small) ==
          "radial-prototypes similarity: WordNet has no noun for the class \"0\": name its synset in a file for "
          "--synsets, with a line such as \"0 dog.n.01\"");
    CHECK(has(complaint(run.path("rbf") + " --wordnet /nonexistent"), "/nonexistent/data.noun: no such file"));
    CHECK(complaint(run.path("soft") + run.synsets() + " --similarity kernel") ==
          "radial-prototypes similarity: the loss softmax has no kernel, only rbf-softmax has");
    CHECK(has(complaint("/nonexistent/run" + small), "/nonexistent/run"));
}

TEST_CASE("clusters measures prototypes by superclass, and features where there are data", "[host][prototypes]") {
    const DigitRun& run = digits();
    const ProgramResult result = prototypes("clusters " + run.path("rbf") + " " + run.path("soft") + " --threads 2" +
                                            run.superclasses() + run.data() + " --json " + run.path("clusters.json"));
    INFO(result.error);
    REQUIRE(result.status == 0);
    const data::DatasetInfo& mnist = data::dataset_registry().at("mnist");
    data::Loader loader(mnist.read(run.path("data"), false), {.batch_size = 128, .mean = mnist.mean, .std = mnist.std});
    const std::vector<std::string> names = {"rbf", "soft"};
    for (std::size_t i = 0; i < 2; ++i) {
        const train::Classifier classifier = run.classifier(names[i]);
        const std::vector<std::int64_t> parity = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
        const train::Evaluation test =
            train::evaluate(*classifier.model, *classifier.loss, loader, Device{}, {.keep_features = true});
        std::vector<std::int64_t> odd;
        for (const std::int64_t label : test.labels) odd.push_back(label % 2);
        const double of_prototypes =
            train::calinski_harabasz(classifier.loss->prototypes().to_vector<float>(), parity, 4);
        const nlohmann::json found = run.json("clusters.json").at(i);
        CHECK(found.at("prototypes_by_superclass").get<double>() == Approx(of_prototypes).epsilon(1e-9));
        CHECK(found.at("features_by_class").get<double>() ==
              Approx(train::calinski_harabasz(test.features, test.labels, 4)).epsilon(1e-6));
        CHECK(found.at("features_by_superclass").get<double>() ==
              Approx(train::calinski_harabasz(test.features, odd, 4)).epsilon(1e-6));
        CHECK(has(result.out, fmt::format(" {:.4f} |", of_prototypes)));
    }
}

TEST_CASE("classes without superclasses have features alone to measure", "[host][prototypes]") {
    const DigitRun& run = digits();
    const ProgramResult features = prototypes("clusters " + run.path("rbf") + " --threads 2" + run.data() + " --json " +
                                              run.path("features.json"));
    REQUIRE(features.status == 0);
    const nlohmann::json found = run.json("features.json").at(0);
    CHECK(found.at("prototypes_by_superclass").is_null());
    CHECK(found.at("features_by_class").get<double>() > 0);
    CHECK(found.at("features_by_superclass").is_null());
    const ProgramResult nothing = prototypes("clusters " + run.path("rbf"));
    CHECK(nothing.status == 1);
    CHECK(nothing.first_error() == "radial-prototypes clusters: " + run.path("rbf") +
                                       ": its classes have no superclasses: name them with --superclasses FILE, or "
                                       "measure features with --data DIR");
}

}  // namespace radial::test
