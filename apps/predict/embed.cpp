// The command `embed`, and functions that write and read files of features.
#include "radial/apps/predict/embed.h"

#include "radial/apps/cli/image_task.h"
#include "radial/apps/predict/commands.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/io/files.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/util/error.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <span>

namespace radial::predict {
namespace {

namespace fs = std::filesystem;

/// A digest of the parameters and buffers of a network (FNV-1a over their bytes).
std::string digest_of(const Layer& model) {
    std::uint64_t hash = 0xCBF29CE484222325;
    for (const NamedTensor& named : model.state()) {
        const Tensor tensor = named.tensor.to(Device{});
        const auto* const bytes = static_cast<const unsigned char*>(tensor.raw());
        for (std::size_t i = 0; i < tensor.bytes(); ++i) hash = (hash ^ bytes[i]) * 0x100000001B3;
    }
    return fmt::format("{:016x}", hash);
}

void check_finite(const Tensor& features, const std::vector<fs::path>& files) {
    const std::span<const float> values = features.values<float>();
    const auto dim = static_cast<std::size_t>(features.size(1));
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!std::isfinite(values[i]))
            throw NumericError(
                fmt::format("{}: element {} of the feature is {}", files[i / dim].string(), i % dim, values[i]));
}

/// A file in NumPy's format 1.0 with the elements of a float32 matrix, row by row.
std::string npy_of(const Tensor& matrix) {
    static_assert(std::endian::native == std::endian::little);
    std::string header =
        fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", matrix.size(0), matrix.size(1));
    constexpr std::size_t preamble = 10, alignment = 64;
    header.append(alignment - 1 - (preamble + header.size()) % alignment, ' ');
    header += '\n';
    std::string file = "\x93NUMPY";
    file += {'\x01', '\x00'};
    file += static_cast<char>(header.size() % 256);
    file += static_cast<char>(header.size() / 256);
    file += header;
    const std::span<const float> values = matrix.values<float>();
    file.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    return file;
}

std::string csv_of(const Embeddings& embeddings) {
    const std::int64_t dim = embeddings.features.size(1);
    std::string text = "file";
    for (std::int64_t d = 0; d < dim; ++d) text += fmt::format(",feature_{}", d);
    text += "\n";
    const std::span<const float> values = embeddings.features.values<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i % static_cast<std::size_t>(dim) == 0)
            text += (i == 0 ? "" : "\n") + train::csv_path(embeddings.files[i / static_cast<std::size_t>(dim)]);
        text += fmt::format(",{}", values[i]);
    }
    return text + "\n";
}

std::string lines_of(const std::vector<fs::path>& files) {
    std::string text;
    for (const fs::path& file : files) text += file.string() + "\n";
    return text;
}

struct EmbedOptions : InputOptions {
    fs::path out;
};

void run_embed(const EmbedOptions& options) {
    RADIAL_CHECK(!options.out.empty(), "no output: give --out FILE");
    check_embeddings_path(options.out);
    StartedNetwork network = start_network(options);
    const Embeddings embeddings = embed(options, network);
    write_embeddings(options.out, embeddings);
    fmt::print("{} features of {} numbers in {}\n", embeddings.files.size(), embeddings.features.size(1),
               train::shown(options.out.string()));
}

}  // namespace

Embeddings embed(const InputOptions& options, StartedNetwork& network) {
    RADIAL_CHECK(!options.images.empty(), "no images: give files or folders");
    const Preprocessing preprocessing = preprocessing_for(options, network.weights);
    const auto [files, others] = picture_files(options.images);
    if (!others.empty()) train::print_error(fmt::format("note: {}\n", data::passed_over(others)));
    Layer& model = *network.weights.classifier.model;
    Embeddings all{.files = {}, .features = {}, .model = network.weights.classifier.spec.model, .weights = {}};
    all.weights = digest_of(model);
    model.to(network.device);
    model.eval();
    const NoGrad no_grad;
    std::vector<float> values;
    for_each_batch(files, options, preprocessing, [&](const PictureBatch& batch) {
        const Tensor feature =
            train::feature_of(model, batch.images.to(network.device), options.precision).to(Device{});
        check_finite(feature, batch.files);
        const std::span<const float> rows = feature.values<float>();
        values.insert(values.end(), rows.begin(), rows.end());
        all.files.insert(all.files.end(), batch.files.begin(), batch.files.end());
    });
    const auto count = std::ssize(all.files);
    all.features = Tensor::from(values, {count, std::ssize(values) / count}, Device{});
    return all;
}

void check_embeddings_path(const fs::path& path) {
    const std::string ending = path.extension().string();
    RADIAL_CHECK(ending == ".safetensors" || ending == ".csv" || ending == ".npy",
                 "{}: the name has to end in .safetensors, .csv or .npy", path.string());
}

void write_embeddings(const fs::path& path, const Embeddings& embeddings) {
    check_embeddings_path(path);
    if (path.extension() == ".csv") {
        write_file(path, csv_of(embeddings));
    } else if (path.extension() == ".npy") {
        write_file(path, npy_of(embeddings.features));
        write_file(fs::path(path).replace_extension(".txt"), lines_of(embeddings.files));
    } else {
        nlohmann::json files = nlohmann::json::array();
        for (const fs::path& file : embeddings.files) files.push_back(file.string());
        const std::string names = files.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        write_safetensors(path, {{{"feature", embeddings.features}},
                                 {{"files", names}, {"model", embeddings.model}, {"weights", embeddings.weights}}});
    }
}

Embeddings read_embeddings(const fs::path& path) {
    const TensorFile file = read_safetensors(path);
    const auto fail = [&path](const std::string& problem) { throw FileError(path.string() + ": " + problem); };
    const auto noted = [&](const char* name) {
        const auto found = file.metadata.find(name);
        if (found == file.metadata.end()) fail("not a file that 'radial-predict embed' has written");
        return found->second;
    };
    Embeddings embeddings{.files = {}, .features = {}, .model = noted("model"), .weights = noted("weights")};
    try {
        for (const std::string& name : nlohmann::json::parse(noted("files")).get<std::vector<std::string>>())
            embeddings.files.emplace_back(name);
    } catch (const nlohmann::json::exception&) {
        fail("its list of files is damaged");
    }
    if (!file.contains("feature")) fail("it has no tensor \"feature\"");
    embeddings.features = file.at("feature");
    const Tensor& features = embeddings.features;
    if (features.dtype() != DType::float32 || features.rank() != 2 ||
        features.size(0) != std::ssize(embeddings.files) || embeddings.files.empty())
        fail(fmt::format("\"feature\" is {}, expected float32 with a row for each of {} files", features.str(),
                         embeddings.files.size()));
    return embeddings;
}

train::Command embed_command() {
    return {"embed", "Write the features of images to a file", [](CLI::App& app) {
                auto options = std::make_shared<EmbedOptions>();
                add_input_flags(app, *options, "JPEG and PNG files, or folders of them");
                app.add_option("--out", options->out,
                               "Output file: .safetensors, .csv, or .npy (with the names of the files in .txt)")
                    ->type_name("FILE");
                return [options] { train::with_memory_advice(options->batch, [&] { run_embed(*options); }); };
            }};
}

}  // namespace radial::predict
