// Saves and loads the complete state of a run.
#include "radial/apps/train/run/snapshots.h"

#include "radial/apps/train/run/json_text.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/tensor/random.h"
#include "radial/core/util/error.h"

#include <algorithm>

namespace radial::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view ending = ".safetensors", beginning = "step-";

void append(TensorFile& file, const std::string& prefix, const std::vector<NamedTensor>& tensors) {
    for (const auto& [name, tensor] : tensors) file.tensors.push_back({prefix + name, tensor});
}

std::vector<NamedTensor> part(const TensorFile& file, const std::string& prefix) {
    std::vector<NamedTensor> tensors;
    for (const auto& [name, tensor] : file.tensors)
        if (name.starts_with(prefix)) tensors.push_back({name.substr(prefix.size()), tensor});
    return tensors;
}

/// The tensors of a snapshot except those of the optimizer and the averages.
std::vector<NamedTensor> weights_in(const TensorFile& file) {
    std::vector<NamedTensor> tensors = file.tensors;
    std::erase_if(tensors, [](const NamedTensor& named) {
        return named.name.starts_with("optimizer.") || named.name.starts_with("average.");
    });
    return tensors;
}

/// The averages in a snapshot. Older snapshots also contain averages of counters and flags, which are meaningless and
/// are left out.
std::vector<NamedTensor> averages_in(const TensorFile& file, const Module& classifier) {
    std::vector<NamedTensor> averages = part(file, "average.");
    const auto is_state = [&](const NamedTensor& named) {
        const std::vector<NamedTensor> buffers = classifier.named_buffers(BufferKind::state);
        return std::ranges::any_of(buffers, [&](const auto& buffer) { return buffer.name == named.name; });
    };
    std::erase_if(averages, is_state);
    return averages;
}

}  // namespace

Snapshots::Snapshots(const fs::path& run, std::int64_t keep) : folder_(run / "snapshots"), keep_(keep) {
    RADIAL_CHECK(keep >= 1, "snapshots: {} to keep, expected at least 1", keep);
}

void Snapshots::save(std::int64_t step, const Module& classifier, const Optimizer& optimizer, const Json& state,
                     const WeightAverage* average) const {
    TensorFile file;
    append(file, "", classifier.state());
    append(file, "optimizer.", optimizer.state());
    if (average != nullptr) append(file, "average.", average->state());
    const Generator& random = default_generator();
    file.metadata["state"] = state.dump();
    file.metadata["random"] = Json{{"seed", random.seed()}, {"counter", random.counter()}}.dump();
    std::error_code error;
    fs::create_directory(folder_, error);  // fails if the run's folder is gone
    if (error) throw FileError(fmt::format("{}: cannot make the folder: {}", folder_.string(), error.message()));
    write_safetensors(folder_ / fmt::format("{}{:09}{}", beginning, step, ending), file, Checksum::added);
    std::vector<fs::path> all = files();
    for (std::size_t i = static_cast<std::size_t>(keep_); i < all.size(); ++i) fs::remove(all[i], error);
}

std::vector<fs::path> Snapshots::files() const {
    std::vector<fs::path> all;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder_, none)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(beginning) && name.ends_with(ending)) all.push_back(entry.path());
    }
    std::sort(all.rbegin(), all.rend());
    return all;
}

void Snapshots::remove_temporaries() const {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder_, ignored))
        if (entry.path().extension() == ".tmp" && entry.path().filename().string().starts_with(beginning))
            fs::remove(entry.path(), ignored);
}

void Snapshots::clear() const {
    remove_temporaries();
    for (const fs::path& file : files()) {
        std::error_code error;
        fs::remove(file, error);
        if (error) throw FileError(fmt::format("{}: cannot be deleted: {}", file.string(), error.message()));
    }
}

namespace {

/// Calls `work`, and rethrows its errors other than FileError as a FileError that names the file.
template <class Work>
auto naming(const fs::path& path, const Work& work) {
    try {
        return work();
    } catch (const FileError&) {
        throw;
    } catch (const std::exception& error) {
        throw FileError(fmt::format("{}: not a snapshot of this run: {}", path.string(), error.what()));
    }
}

}  // namespace

Snapshot read_snapshot(const fs::path& path) {
    Snapshot snapshot{.path = path, .file = read_safetensors(path, Checksum::added), .state = {}};
    snapshot.state = naming(path, [&] { return Json::parse(snapshot.file.metadata.at("state")); });
    return snapshot;
}

void restore_snapshot(const Snapshot& snapshot, Module& classifier, Optimizer& optimizer, WeightAverage* average) {
    const TensorFile& file = snapshot.file;
    naming(snapshot.path, [&] {
        const Json random = Json::parse(file.metadata.at("random"));
        classifier.load_state(weights_in(file));
        optimizer.load_state(part(file, "optimizer."));
        const std::vector<NamedTensor> averages = averages_in(file, classifier);
        RADIAL_CHECK(averages.empty() == (average == nullptr), "it holds {} averages of weights", averages.size());
        if (average != nullptr) average->load_state(averages);
        default_generator().restore(whole_number<std::uint64_t>(random, "seed"),
                                    whole_number<std::uint64_t>(random, "counter"));
    });
}

Json load_snapshot(const fs::path& path, Module& classifier, Optimizer& optimizer, WeightAverage* average) {
    Snapshot snapshot = read_snapshot(path);
    restore_snapshot(snapshot, classifier, optimizer, average);
    return std::move(snapshot.state);
}

}  // namespace radial::train
