// A data set that consists of the recorded JPEG files in a folder.
#pragma once

#include "../folders.h"
#include "radial/core/io/safetensors.h"
#include "radial/data/image_set.h"
#include "scratch.h"

#include <string>
#include <vector>

namespace radial::test {

/// The recorded files and Pillow's results for them; see tests/golden/view_cases.py.
inline const TensorFile& recorded_views() {
    static const TensorFile file = read_safetensors(test_folder() + "/golden/views.safetensors");
    return file;
}

/// The names of the recorded files.
inline std::vector<std::string> recorded_files() {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : recorded_views().tensors)
        if (name.starts_with("file/")) names.push_back(name.substr(5));
    return names;
}

inline std::string recorded_bytes(const std::string& name) {
    const auto bytes = recorded_views().at("file/" + name).values<std::uint8_t>();
    return {bytes.begin(), bytes.end()};
}

/// The recorded files in a folder, and a data set of them. The labels are the files' indices; the view is Resize(48),
/// CenterCrop(40).
struct PictureSet {
    Scratch scratch;
    std::vector<std::string> names = recorded_files();
    data::ImageSet set;

    PictureSet() {
        std::vector<std::filesystem::path> files;
        std::vector<std::int64_t> labels;
        for (const std::string& name : names) {
            labels.push_back(static_cast<std::int64_t>(files.size()));
            files.push_back(scratch.write(name, recorded_bytes(name)));
        }
        set = {files, Tensor::from(labels, {std::ssize(labels)}, Device{}), names};
        set.view = {.resize = 48, .crop = 40};
    }
    std::filesystem::path file(std::size_t i) const { return set.files->at(i); }
};

}  // namespace radial::test
