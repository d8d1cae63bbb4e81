// Tests of `eval --outliers`: it reads images of other classes in any format and distinguishes them from the test set.
#include "radial/apps/cli/outliers.h"
#include "../../data/pictures.h"
#include "../../expect.h"
#include "../program.h"
#include "../small_run.h"
#include "radial/apps/program/program.h"
#include "radial/apps/tasks/tasks.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/evaluate.h"
#include "radial/core/tensor/random.h"
#include "radial/data/cifar.h"
#include "radial/data/idx.h"
#include "radial/data/images/image.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"

#include <cmath>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

std::string noise(std::size_t bytes, std::uint64_t seed) {
    Generator generator(seed);
    std::string text(bytes, '\0');
    for (char& byte : text) byte = static_cast<char>(generator.below(256));
    return text;
}

/// Writes `count` images of noise in the format of MNIST's test set.
void write_noise(const fs::path& folder, int count, int side = 28) {
    const auto number = [](int value) {
        return std::string{0, 0, static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)};
    };
    fs::create_directories(folder);
    const auto pixels =
        static_cast<std::size_t>(count) * static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
    write_text(folder / "t10k-images-idx3-ubyte",
               std::string{0, 0, 8, 3} + number(count) + number(side) + number(side) + noise(pixels, 3));
    write_text(folder / "t10k-labels-idx1-ubyte",
               std::string{0, 0, 8, 1} + number(count) + std::string(static_cast<std::size_t>(count), '\0'));
}

/// Writes `count` images of noise in the format of CIFAR-100's test set, with labels up to 99, which are not classes of
/// any other network.
void write_cifar100(const fs::path& folder, int count) {
    fs::create_directories(folder);
    std::string records, names;
    for (int i = 0; i < count; ++i) records += '\0' + std::string(1, static_cast<char>(99 - i)) + noise(3072, 50 + i);
    for (int i = 0; i < 100; ++i) names += fmt::format("kind {}\n", i);
    write_text(folder / "test.bin", records);
    write_text(folder / "fine_label_names.txt", names);
}

/// A short run of radial-mnist on ten patterns. The tests share trained_run(), and only add files to its folder.
class Run {
public:
    Run() {
        write_patterns(data(), 400, 100);
        const ProgramResult result = run_program(
            "radial-mnist", fmt::format("train --threads 2 --epochs 3 --batch 20 --data {} --out {} --loss rbf-softmax",
                                        data().string(), (folder_ / "run").string()));
        INFO(result.error);
        REQUIRE(result.status == 0);
    }
    fs::path path(const std::string& name) const { return folder_ / name; }
    fs::path data() const { return path("digits"); }
    fs::path checkpoint() const { return path("run") / "checkpoint.safetensors"; }
    ProgramResult eval(const std::string& arguments) const {
        return run_program("radial-mnist", fmt::format("eval --threads 2 --checkpoint {} --data {} {}",
                                                       checkpoint().string(), data().string(), arguments));
    }

private:
    TemporaryFolder folder_;
};

const Run& trained_run() {
    static const Run run;
    return run;
}

/// The images of a data set's folder, converted for radial-mnist, whose test images are 28x28.
train::Outliers outliers_for_mnist(const fs::path& folder) {
    const data::ImageSet test(Tensor::zeros({2, 1, 28, 28}, DType::uint8, Device{}),
                              Tensor::zeros({2}, DType::int64, Device{}));
    return train::read_outliers(train::mnist_task(), folder, test);
}

std::vector<int> bytes_of(const Tensor& image) { return image.to_vector<int>(); }

}  // namespace

TEST_CASE("eval says how well each score tells outliers from the test set", "[host][outliers]") {
    const Run& run = trained_run();
    write_noise(run.path("noise"), 60);
    const std::string json = run.path("result.json").string();
    const ProgramResult result = run.eval("--outliers " + run.path("noise").string() + " --json " + json);
    REQUIRE(result.error == "");
    REQUIRE(result.status == 0);
    CHECK(result.out.find("outliers: 60 images of " + run.path("noise").string() + ", read as radial-mnist\n") !=
          std::string::npos);
    CHECK(result.out.find("score         keeps 95% at   AUROC  FPR at 95% TPR\n") != std::string::npos);

    train::Classifier classifier = train::load_classifier(run.checkpoint());
    const train::ImageTask task = train::mnist_task();
    const auto scores = [&](const fs::path& folder) {
        data::Loader loader(data::read_mnist(folder, false),
                            {.batch_size = 128, .workers = 0, .mean = task.mean, .std = task.std});
        return train::score_samples(*classifier.model, *classifier.loss, loader, Device{});
    };
    const auto inside = scores(run.data()), outside = scores(run.path("noise"));
    const auto written = nlohmann::json::parse(read_text(json));
    CHECK(written.at("images") == 100);
    CHECK(written.at("outliers").at("images") == 60);
    CHECK(written.at("outliers").at("format") == "radial-mnist");
    REQUIRE(written.at("scores").size() == 3);
    std::size_t at = 0;
    for (const std::string name : {"kernel", "probability", "energy"}) {
        INFO(name);
        const auto& entry = written.at("scores").at(name);
        const train::Separation expected = train::separation(inside.at(at), outside.at(at));
        CHECK(entry.at("auroc").get<double>() == Approx(expected.auroc).margin(1e-3));
        CHECK(entry.at("fpr_at_95_tpr").get<double>() == Approx(expected.false_positives).margin(0.02));
        CHECK(entry.at("keeps_95").get<double>() == Approx(train::threshold_keeping(inside.at(at))).epsilon(1e-3));
        CHECK(result.out.find("\n" + name) != std::string::npos);
        ++at;
    }
    CHECK(written.at("scores").at("kernel").at("auroc") > 0.9);
}

TEST_CASE("without outliers eval gives thresholds, none of which keeps fewer images than it says", "[host][outliers]") {
    const Run& run = trained_run();
    const std::string json = run.path("result.json").string();
    const ProgramResult result = run.eval("--json " + json);
    REQUIRE(result.status == 0);
    CHECK(result.out.find("AUROC") == std::string::npos);
    const auto written = nlohmann::json::parse(read_text(json));
    CHECK_FALSE(written.contains("outliers"));
    for (const std::string name : {"kernel", "probability", "energy"}) {
        const auto line = result.out.find("\n" + name + " ");
        REQUIRE(line != std::string::npos);
        const double exact = written.at("scores").at(name).at("keeps_95");
        const double printed = std::stod(result.out.substr(line + 1 + name.size()));
        CHECK(printed <= exact);
        CHECK(printed == Approx(exact).epsilon(2e-5));
        CHECK_FALSE(written.at("scores").at(name).contains("auroc"));
    }
}

TEST_CASE("outliers that cannot be used are refused before anything is evaluated", "[host][outliers]") {
    const Run& run = trained_run();
    const auto problem = [&](const fs::path& folder) {
        const ProgramResult result = run.eval("--outliers " + folder.string());
        CHECK(result.status == 1);
        CHECK(result.out.find("test loss") == std::string::npos);
        return result.error;
    };
    const std::string missing = run.path("missing").string(), same = run.data().string();
    CHECK(problem(missing) == "radial-mnist eval: " + missing + ": no such folder of outliers\n");
    CHECK(problem(same) ==
          "radial-mnist eval: " + same + ": the outliers are the test set itself; give the folder of other images\n");
    const std::string empty = run.path("empty").string();
    fs::create_directories(empty);
    const std::string error = problem(empty);
    CHECK(error.starts_with("radial-mnist eval: " + empty +
                            ": no outliers in a format that is known:\n  as radial-mnist: "));
    CHECK(error.find("  as picture files: " + empty + ": no JPEG or PNG file in this folder\n") != std::string::npos);
}

TEST_CASE("a program for CIFAR-10 takes CIFAR-100's images, whose labels it has no class for", "[outliers]") {
    const TemporaryFolder folder;
    write_cifar100(folder / "hundred", 5);
    const data::ImageSet test(Tensor::zeros({2, 3, 32, 32}, DType::uint8, Device{}),
                              Tensor::zeros({2}, DType::int64, Device{}));
    const train::Outliers found = train::read_outliers(train::cifar10_task(), folder / "hundred", test);
    CHECK(found.format == "cifar100");
    REQUIRE(found.set->size() == 5);
    const data::ImageSet expected = data::read_cifar100(folder / "hundred", false);
    for (std::int64_t i = 0; i < 5; ++i) CHECK(bytes_of(found.set->get(i).input) == bytes_of(expected.get(i).input));
}

TEST_CASE("coloured outliers of another size become grey and of the test images' size", "[outliers]") {
    const TemporaryFolder folder;
    write_cifar100(folder / "hundred", 3);
    const train::Outliers found = outliers_for_mnist(folder / "hundred");
    CHECK(found.format == "cifar100");
    CHECK(found.set->input_shape() == Shape({1, 28, 28}));
    const data::ImageSet colours = data::read_cifar100(folder / "hundred", false);
    for (std::int64_t i = 0; i < 3; ++i) {
        const std::vector<int> planes = bytes_of(colours.get(i).input), grey = bytes_of(found.set->get(i).input);
        Tensor image = Tensor::empty({32, 32, 3}, DType::uint8, Device{});
        for (std::size_t p = 0; p < 1024; ++p)
            for (std::size_t c = 0; c < 3; ++c)
                image.data<std::uint8_t>()[3 * p + c] = static_cast<std::uint8_t>(planes[1024 * c + p]);
        const std::vector<int> small = bytes_of(data::evaluation_view(image, 28, 28));
        REQUIRE(grey.size() == 784);
        for (std::size_t p = 0; p < 784; ++p) {
            const double expected = 0.299 * small[p] + 0.587 * small[784 + p] + 0.114 * small[1568 + p];
            CHECK(std::abs(grey[p] - expected) <= 0.51);
        }
    }
}

TEST_CASE("grey outliers get three equal channels", "[outliers]") {
    const TemporaryFolder folder;
    write_noise(folder / "noise", 4, 32);
    const data::ImageSet test(Tensor::zeros({2, 3, 32, 32}, DType::uint8, Device{}),
                              Tensor::zeros({2}, DType::int64, Device{}));
    const train::Outliers found = train::read_outliers(train::cifar10_task(), folder / "noise", test);
    CHECK(found.format == "mnist");
    const std::vector<int> grey = bytes_of(data::read_mnist(folder / "noise", false).get(3).input);
    std::vector<int> expected;
    for (int c = 0; c < 3; ++c) expected.insert(expected.end(), grey.begin(), grey.end());
    CHECK(bytes_of(found.set->get(3).input) == expected);
}

TEST_CASE("picture files are outliers of any network", "[outliers]") {
    const PictureSet pictures;
    const train::Outliers found = outliers_for_mnist(pictures.file(0).parent_path());
    CHECK(found.format == "picture files");
    REQUIRE(found.set->size() == std::ssize(pictures.names));
    std::vector<fs::path> files = *pictures.set.files;
    std::sort(files.begin(), files.end());
    for (std::size_t i = 0; i < files.size(); ++i) {
        const Tensor image = data::read_image(files[i], {.channels = 1});
        CHECK(bytes_of(found.set->get(static_cast<std::int64_t>(i)).input) ==
              bytes_of(data::evaluation_view(image, 28, 28)));
    }
}

TEST_CASE("picture files are cut as those of a test set of files are", "[outliers]") {
    const PictureSet pictures;
    data::ImageSet test = pictures.set.first(2);
    test.view = {.resize = 40, .crop = 32};
    const train::Outliers found = train::read_outliers(train::imagenet_task(), pictures.file(0).parent_path(), test);
    CHECK(found.set->input_shape() == Shape({3, 32, 32}));
    std::vector<fs::path> files = *pictures.set.files;
    std::sort(files.begin(), files.end());
    CHECK(bytes_of(found.set->get(0).input) == bytes_of(data::evaluation_view(data::read_image(files[0]), 40, 32)));
}

TEST_CASE("a program of your own compares its inputs with those that its reader finds in another folder",
          "[host][outliers]") {
    const DefaultSignals signals;
    const TemporaryFolder folder;
    const std::string data = (folder / "data").string(), far = (folder / "far").string(),
                      wide = (folder / "wide").string(), out = (folder / "run").string(),
                      json = (folder / "result.json").string();
    for (const std::string& name : {data, far, wide}) fs::create_directories(name);
    train::Program program("points");
    program.data([](const fs::path& source, bool train) {
        std::shared_ptr<data::TensorSet> set = points(train ? 1 : 2);
        const std::vector<std::string> names = {"left", "right"};
        const Tensor labels = Tensor::zeros({9}, DType::int64, Device{});
        if (source.filename() == "far")
            set =
                std::make_shared<data::TensorSet>(Tensor::full({9, 2}, -400, DType::float32, Device{}), labels, names);
        if (source.filename() == "wide")
            set = std::make_shared<data::TensorSet>(Tensor::zeros({9, 3}, DType::float32, Device{}), labels, names);
        return set;
    });
    program.network(
        "plane",
        [](std::int64_t dim) {
            auto layers = std::make_unique<Sequential>();
            layers->add<Linear>({.in_features = 2, .out_features = dim});
            return layers;
        },
        4);
    const auto run = [&](std::vector<std::string> words) {
        words.insert(words.begin(), "points");
        for (const char* const word : {"--data", data.c_str(), "--workers", "0", "--threads", "1"})
            words.emplace_back(word);
        std::vector<const char*> arguments;
        arguments.reserve(words.size());
        for (const std::string& word : words) arguments.push_back(word.c_str());
        return program.run(static_cast<int>(arguments.size()), arguments.data());
    };
    REQUIRE(run({"train", "--epochs", "2", "--batch", "8", "--out", out}) == 0);
    const std::string best = out + "/best.safetensors";
    CHECK(run({"eval", "--checkpoint", best, "--outliers", far, "--json", json}) == 0);
    const auto written = nlohmann::json::parse(read_text(json));
    CHECK(written.at("outliers").at("format") == "points");
    CHECK(written.at("outliers").at("images") == 9);
    CHECK(written.at("scores").at("kernel").at("auroc") > 0.99);
    CHECK(written.at("scores").at("kernel").at("fpr_at_95_tpr") == 0);
    CHECK(run({"eval", "--checkpoint", best, "--outliers", wide}) == 1);
    CHECK(run({"eval", "--checkpoint", best, "--outliers", data}) == 1);
    unregister_model("plane");
}

TEST_CASE("inputs that are not images take outliers of the same shape alone", "[outliers]") {
    const TemporaryFolder folder;
    train::ImageTask task;
    task.program = "points";
    task.read = [](const fs::path&, bool) {
        return std::make_shared<data::TensorSet>(Tensor::zeros({9, 3}, DType::float32, Device{}),
                                                 Tensor::zeros({9}, DType::int64, Device{}));
    };
    const std::string path = folder.path().string();
    CHECK(error_of([&] { train::read_outliers(task, path, *points(2)); }) ==
          path + ": outliers have the shape [3], the test set has [2]");
    task.read = [](const fs::path& source, bool) -> std::shared_ptr<data::Dataset> {
        throw FileError(source.string() + ": no points");
    };
    CHECK(error_of([&] { train::read_outliers(task, path, *points(2)); }) ==
          path + ": no outliers in a format that is known:\n  as points: " + path + ": no points");
}

TEST_CASE("images that are not square take outliers of their own shape alone", "[outliers]") {
    const TemporaryFolder folder;
    write_noise(folder / "noise", 4);
    const data::ImageSet test(Tensor::zeros({2, 1, 28, 20}, DType::uint8, Device{}),
                              Tensor::zeros({2}, DType::int64, Device{}));
    const std::string path = (folder / "noise").string();
    CHECK(error_of([&] { train::read_outliers(train::mnist_task(), path, test); }) ==
          path + ": outliers cannot be brought to the shape [1, 28, 20] of the test images, which are not square");
}

TEST_CASE("eval averages logits over views, and the loss is still that of the images", "[host]") {
    const Run& run = trained_run();
    const ProgramResult one = run.eval(""), six = run.eval("--views 6 --json " + run.path("six.json").string());
    INFO(six.error);
    REQUIRE(six.status == 0);
    const auto loss_line = [](const std::string& out) { return out.substr(out.find("test loss"), 17); };
    CHECK(loss_line(six.out) == loss_line(one.out));
    CHECK(one.out.find("\ntest accuracy: ") != std::string::npos);
    CHECK(six.out.find("\ntest accuracy over 6 views: ") != std::string::npos);
    CHECK(nlohmann::json::parse(read_text(run.path("six.json"))).at("views") == 6);
    CHECK(run.eval("--views 3").status == 2);
}

}  // namespace radial::test
