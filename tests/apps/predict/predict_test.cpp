// Tests that run radial-predict as a user does.
#include "../../expect.h"
#include "../weights_folder.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/data/images/image.h"
#include "radial/data/images/view.h"

#include <cmath>

namespace radial::test {
namespace {

ProgramResult predict(const std::string& arguments) {
    return run_program("radial-predict", "--threads 2 " + arguments);
}

/// Runs a command that must fail, and returns the first line of its error, without the program's name.
std::string problem(const std::string& arguments, int status = 1) {
    const ProgramResult result = predict(arguments);
    CHECK(result.status == status);
    const std::string prefix = "radial-predict: ";
    return result.first_error().starts_with(prefix) ? result.first_error().substr(prefix.size())
                                                    : "(no name) " + result.first_error();
}

/// Returns the probabilities that the network of WeightsFolder computes for a picture, which is prepared as for
/// ImageNet.
std::vector<double> probabilities(const WeightsFolder& folder, const std::string& picture) {
    const Tensor view = data::evaluation_view(data::read_image(picture), 32, 32);
    Tensor images = Tensor::empty({1, 3, 32, 32});
    const double mean[] = {0.485, 0.456, 0.406}, std[] = {0.229, 0.224, 0.225};
    const auto bytes = view.to_vector<double>();
    for (std::size_t i = 0; i < bytes.size(); ++i)
        images.data<float>()[i] = static_cast<float>((bytes[i] / 255 - mean[i / 1024]) / std[i / 1024]);
    auto result = folder.logits(images).to_vector<double>();
    double sum = 0;
    for (double& value : result) sum += value = std::exp(value);
    for (double& value : result) value /= sum;
    return result;
}

}  // namespace

TEST_CASE("a tensor of images becomes logits and features, whatever the batch", "[host][predict]") {
    const WeightsFolder folder;
    Tensor images = Tensor::empty({5, 3, 32, 32});
    normal_(images, 0, 1);
    write_safetensors(folder / "in", {{{"input", images}}, {}});
    const std::string files = " --input " + (folder / "in").string() + " --output " + (folder / "out").string();
    for (const std::string batch : {"2", "32"}) {
        const ProgramResult result =
            predict(fmt::format("--model resnet20 --batch {} --weights {}{}", batch, folder.weights, files));
        CHECK(result.error == "");
        REQUIRE(result.status == 0);
        const TensorFile out = read_safetensors(folder / "out");
        CHECK(out.at("feature").str() == "float32[5, 64]");
        CHECK(relative_difference(out.at("logits"), folder.logits(images)) < 1e-5);
    }
}

TEST_CASE("pictures are printed with their likeliest classes", "[host][predict]") {
    const WeightsFolder folder;
    const std::string picture = folder.picture("rgb.jpg", "a.jpg");
    const std::string names = folder.text("names.txt", "cat\ndog\nowl, brown\r\ncow\nfox\nelk\nbee\n");
    const ProgramResult result =
        predict("--model resnet20 --top 3 --classes " + names + " --weights " + folder.weights + " " + picture);
    REQUIRE(result.status == 0);
    const std::vector<double> expected = probabilities(folder, picture);
    std::vector<std::size_t> order = {0, 1, 2, 3, 4, 5, 6};
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return expected[a] > expected[b]; });
    const std::vector<std::string> words = {"cat", "dog", "owl, brown", "cow", "fox", "elk", "bee"};
    std::string lines = picture + "\n";
    for (std::size_t i = 0; i < 3; ++i)
        lines += fmt::format("   {}  {:.4f}  {}\n", i + 1, expected[order[i]], words[order[i]]);
    CHECK(result.out.ends_with("model: resnet20, 64-D feature; loss: softmax; 7 classes\n" + lines));
}

TEST_CASE("a folder becomes a table, the same in batches of any size", "[host][predict]") {
    const WeightsFolder folder;
    const std::vector<std::string> pictures = {folder.picture("rgb.png", "p/a.png"),
                                               folder.picture("grey.jpg", "p/b/c.JPEG"),
                                               folder.picture("cmyk.jpg", "p/d.webp")};
    const std::string text = folder.text("p/notes.txt", "no picture");
    std::string first;
    for (const std::string batch : {"1", "2", "3"}) {
        const std::string csv = (folder / "out.csv").string();
        const ProgramResult result = predict(fmt::format("--model resnet20 --batch {} --csv {} --weights {} {}", batch,
                                                         csv, folder.weights, (folder / "p").string()));
        CHECK(result.error == "note: 1 file passed over, being no JPEG or PNG by name or content, as " + text + "\n");
        REQUIRE(result.status == 0);
        CHECK(result.out.ends_with("\n3 images: " + csv + "\n"));
        const auto rows = csv_rows(read_text(csv));
        REQUIRE(rows.size() == 4);
        CHECK(rows[0] == std::vector<std::string>{"file", "class_1", "score_1", "class_2", "score_2", "class_3",
                                                  "score_3", "class_4", "score_4", "class_5", "score_5"});
        for (std::size_t i = 0; i < 3; ++i) {
            const auto& row = rows[i + 1];
            REQUIRE(row.size() == 11);
            CHECK(row[0] == pictures[i]);
            const auto expected = probabilities(folder, pictures[i]);
            for (std::size_t k = 1; k < 11; k += 2)
                CHECK(std::stod(row[k + 1]) == Approx(expected.at(std::stoul(row[k]))).epsilon(1e-4));
            CHECK(std::stod(row[2]) == Approx(*std::max_element(expected.begin(), expected.end())).epsilon(1e-4));
        }
    }
}

TEST_CASE("names with commas and quotes stay one field of the table", "[host][predict]") {
    const WeightsFolder folder;
    const std::string picture = folder.picture("rgb.png", "a.png"), csv = (folder / "out.csv").string();
    std::string line = "great \"grey\" owl, Strix\n", names;
    for (int i = 0; i < 7; ++i) names += line;
    const std::string file = folder.text("names.txt", names);
    REQUIRE(predict("--model resnet20 --top 1 --classes " + file + " --csv " + csv + " --weights " + folder.weights +
                    " " + picture)
                .status == 0);
    const std::string text = read_text(csv);
    CHECK(text.substr(0, text.rfind(',')) == "file,class_1,score_1\n" + picture + ",\"great \"\"grey\"\" owl, Strix\"");
}

TEST_CASE("a table has no names that a spreadsheet takes for formulas or a terminal for commands", "[host][predict]") {
    for (const auto& [name, field] :
         std::vector<std::pair<std::string, std::string>>{{"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
                                                          {"@x, y", "\"'@x, y\""},
                                                          {"-1", "'-1"},
                                                          {"a-1", "a-1"},
                                                          {"\x1b[2J", "\\x1b[2J"},
                                                          {"B\xe4r", "B\\xe4r"}}) {
        const WeightsFolder folder;
        folder.picture("rgb.png", "=a.png");
        std::string names;
        for (int i = 0; i < 7; ++i) names += name + "\n";
        const std::string arguments = "--model resnet20 --top 1 --classes " + folder.text("names.txt", names) +
                                      " --weights " + folder.weights + " =a.png";
        const ProgramResult written = run_program_in(folder.path(), "radial-predict", "--csv out.csv " + arguments);
        REQUIRE(written.status == 0);
        const std::string text = read_text(folder / "out.csv");
        CHECK(text.substr(0, text.rfind(',')) == "file,class_1,score_1\n./=a.png," + field);
        CHECK(run_program_in(folder.path(), "radial-predict", arguments).out.find('\x1b') == std::string::npos);
    }
}

TEST_CASE("a picture that cannot be read ends the run, or is skipped and named", "[host][predict]") {
    const WeightsFolder folder;
    const std::string good = folder.picture("rgb.png", "p/a.png");
    const std::string bad = folder.text("p/b.jpg", "not a picture"), csv = (folder / "out.csv").string();
    const std::string reason = bad + ": neither a JPEG nor a PNG image: it begins with 6e 6f 74 20";
    const std::string arguments =
        "--model resnet20 --csv " + csv + " --weights " + folder.weights + " " + (folder / "p").string();
    CHECK(problem(arguments) == reason);
    CHECK_FALSE(std::filesystem::exists(csv));
    const ProgramResult result = predict("--skip-bad " + arguments);
    CHECK(result.status == 0);
    CHECK(result.error == "skipped: " + reason + "\n");
    CHECK(result.out.ends_with("\n1 images, 1 skipped: " + csv + "\n"));
    CHECK(csv_rows(read_text(csv)).at(1).at(0) == good);
    const ProgramResult none = predict("--skip-bad --model resnet20 --weights " + folder.weights + " " + bad);
    CHECK(none.status == 1);
    CHECK(none.error == "skipped: " + reason + "\nradial-predict: none of the 1 images can be read\n");
}

TEST_CASE("a checkpoint says its network, its classes and how pixels are prepared", "[host][predict]") {
    const WeightsFolder folder;
    write_patterns(folder / "fashion", 200, 50);
    const std::string run = (folder / "run").string(), picture = folder.picture("grey.png", "a.png");
    REQUIRE(run_program("radial-mnist",
                        "train --threads 2 --epochs 1 --data " + (folder / "fashion").string() + " --out " + run)
                .status == 0);
    const std::string arguments = "--top 10 --weights " + run + "/checkpoint.safetensors " + picture;
    const ProgramResult result = predict(arguments);
    REQUIRE(result.status == 0);
    CHECK(result.out.find("model: lenetpp, 32-D feature; loss: rbf-softmax; 10 classes\n") != std::string::npos);
    CHECK(result.out.find("Ankle boot") != std::string::npos);
    CHECK(predict("--mean 0.1307 --std 0.3081 " + arguments).out == result.out);
    CHECK(predict("--mean 0.1307 --deviation 0.3081 " + arguments).out == result.out);
    CHECK(predict("--mean 0.3 --std 0.3081 " + arguments).out != result.out);
    CHECK(problem("--model resnet20 " + arguments) == run + "/checkpoint.safetensors: holds lenetpp, not resnet20");
}

TEST_CASE("weights with a NaN are refused, and a picture whose scores overflow is named", "[host][predict]") {
    const WeightsFolder folder;
    const std::string picture = folder.picture("rgb.png", "a.png"), path = (folder / "broken").string();
    const auto broken = [&](const std::string& name, double value) {
        TensorFile file = read_safetensors(folder.weights);
        for (const NamedTensor& tensor : file.tensors)
            if (tensor.name == name) tensor.tensor.fill_(value);
        write_safetensors(path, file);
        return problem("--model resnet20 --weights " + path + " " + picture);
    };
    CHECK(broken("layer1.2.bn1.running_var", NAN) ==
          path + ": \"layer1.2.bn1.running_var\" is nan at [0], and 16 of its 16 numbers are not finite");
    CHECK(broken("fc.weight", 3e38) == picture + ": the score of class 0 is inf");
}

TEST_CASE("radial-predict says what is missing or contradicts itself", "[host][predict]") {
    const WeightsFolder folder;
    const std::string picture = folder.picture("rgb.png", "a.png");
    const std::string given = "--weights " + folder.weights + " ", known = given + "--model resnet20 ";
    CHECK(problem(picture) == "no weights: give --weights FILE");
    CHECK(problem(given) == "no images: give image files or folders, or --input FILE");
    CHECK(problem(given + "--input x " + picture) ==
          "both images and --input: give image files or folders, or --input FILE");
    CHECK(problem(given + "--input x") == "--input and --output go together");
    CHECK(problem(given + picture) ==
          folder.weights + ": does not say which network's weights it holds: give --model NAME");
    CHECK(problem(given + "--model resnet21 " + picture)
              .starts_with("no model is called \"resnet21\"; did you mean resnet20?"));
    CHECK(problem(known + "--format timm " + picture) == "weights of the family resnet have no format timm");
    CHECK(problem(known + "--resize 20 " + picture) == "--resize: 20 is below --size 32");
    CHECK(problem(known + "--mean 1,2 " + picture) ==
          "--mean and --std: 2 and 3 numbers, expected 1 or 3, one a channel");
    CHECK(problem(known + "--std 0 " + picture) == "--std: has a number that is not above 0");
    CHECK(problem(known + "--classes " + folder.text("two", "a\nb\n") + " " + picture) ==
          (folder / "two").string() + ": 2 lines, expected a name for each of 7 classes");
    std::filesystem::create_directory(folder / "empty");
    CHECK(problem(known + (folder / "empty").string()) ==
          (folder / "empty").string() + ": no JPEG or PNG file in this folder");
    write_safetensors(folder / "in", {{{"images", Tensor::zeros({1, 3, 32, 32})}}, {}});
    CHECK(problem(known + "--output y --input " + (folder / "in").string()) ==
          (folder / "in").string() + ": no tensor \"input\"");
    write_safetensors(folder / "in", {{{"input", Tensor::zeros({3, 32, 32})}}, {}});
    CHECK(problem(known + "--output y --input " + (folder / "in").string()) ==
          (folder / "in").string() + ": \"input\" is float32[3, 32, 32], expected float32[N, C, H, W]");
    CHECK(problem(known + "--tpo 3 " + picture, 2) == "unknown flag '--tpo'; did you mean --top?");
}

}  // namespace radial::test
