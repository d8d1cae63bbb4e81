// Converts descriptions of images and classes to and from a checkpoint's metadata.
#include "radial/apps/train/run/input_notes.h"

#include "radial/core/util/error.h"
#include "radial/core/util/text.h"

#include <nlohmann/json.hpp>

#include <charconv>

namespace radial::train {
namespace {

template <class T>
void write_list(std::map<std::string, std::string>& metadata, const std::string& key, const std::vector<T>& list) {
    // Bytes that are not UTF-8 are replaced by U+FFFD.
    if (!list.empty())
        metadata[key] = nlohmann::json(list).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

template <class T>
void read_list(const std::map<std::string, std::string>& metadata, const std::string& key, std::vector<T>& list) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) return;
    try {
        list = nlohmann::json::parse(found->second).get<std::vector<T>>();
    } catch (const nlohmann::json::exception&) {
        throw Error(fmt::format("metadata '{}' is '{}', expected a list of {}", key, shortened(found->second),
                                std::is_same_v<T, float> ? "numbers" : "names"));
    }
}

/// Reads the integer under `key`, if there is one. Throws Error when it is below `least`.
template <class T>
void read_number(const std::map<std::string, std::string>& metadata, const std::string& key, T& number, T least = 1) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) return;
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    RADIAL_CHECK(error == std::errc{} && end == text.data() + text.size() && number >= least,
                 "metadata '{}' is '{}', expected a number {}", key, text,
                 least == 1 ? "above 0" : fmt::format("of at least {}", least));
}

/// Reads the share under `key`, if there is one. Throws Error unless it is above 0 and below 1.
void read_share(const std::map<std::string, std::string>& metadata, const std::string& key, double& share) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) return;
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
    RADIAL_CHECK(error == std::errc{} && end == text.data() + text.size() && share > 0 && share < 1,
                 "metadata '{}' is '{}', expected a number above 0 and below 1", key, text);
}

}  // namespace

std::map<std::string, std::string> to_metadata(const InputNotes& notes) {
    std::map<std::string, std::string> metadata;
    write_list(metadata, "class_names", notes.class_names);
    write_list(metadata, "class_folders", notes.class_folders);
    write_list(metadata, "mean", notes.mean);
    write_list(metadata, "std", notes.std);
    if (notes.size > 0) metadata["image_size"] = fmt::format("{}", notes.size);
    if (notes.resize > 0) metadata["resize"] = fmt::format("{}", notes.resize);
    if (notes.val_split > 0) {
        metadata["val_split"] = fmt::format("{}", notes.val_split);
        metadata["split_seed"] = fmt::format("{}", notes.split_seed);
    }
    return metadata;
}

InputNotes input_notes(const std::map<std::string, std::string>& metadata) {
    InputNotes notes;
    read_list(metadata, "class_names", notes.class_names);
    read_list(metadata, "class_folders", notes.class_folders);
    read_list(metadata, "mean", notes.mean);
    read_list(metadata, "deviation", notes.std);  // the key in earlier versions
    read_list(metadata, "std", notes.std);
    read_number(metadata, "image_size", notes.size);
    read_number(metadata, "resize", notes.resize);
    read_share(metadata, "val_split", notes.val_split);
    read_number<std::uint64_t>(metadata, "split_seed", notes.split_seed, 0);
    return notes;
}

}  // namespace radial::train
