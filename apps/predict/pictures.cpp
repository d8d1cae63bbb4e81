// Listing, reading and normalising pictures.
#include "radial/apps/predict/pictures.h"

#include "radial/data/images/image.h"
#include "radial/data/images/view.h"

#include <optional>

namespace radial::predict {
namespace {

namespace fs = std::filesystem;

/// bytes [C, H, W] to (byte / 255 - mean) / deviation.
void normalise(const Tensor& bytes, const Preprocessing& preprocessing, float* to) {
    const std::int64_t channels = bytes.size(0), pixels = bytes.size(1) * bytes.size(2);
    const std::uint8_t* from = bytes.data<std::uint8_t>();
    const auto of_channel = [](const std::vector<float>& values, std::int64_t c) {
        return values.size() == 1 ? values.front() : values.at(static_cast<std::size_t>(c));
    };
    for (std::int64_t c = 0; c < channels; ++c) {
        const float mean = of_channel(preprocessing.mean, c), deviation = of_channel(preprocessing.deviation, c);
        for (std::int64_t i = 0; i < pixels; ++i) *to++ = (static_cast<float>(*from++) / 255.0F - mean) / deviation;
    }
}

}  // namespace

data::FoundImages picture_files(const std::vector<fs::path>& paths) {
    data::FoundImages all;
    for (const fs::path& path : paths) {
        if (!fs::is_directory(path)) {
            all.files.push_back(path);
            continue;
        }
        const data::FoundImages found = data::find_images(path);
        if (found.files.empty()) throw FileError(path.string() + ": no JPEG or PNG file in this folder");
        all.files.insert(all.files.end(), found.files.begin(), found.files.end());
        all.others.insert(all.others.end(), found.others.begin(), found.others.end());
    }
    return all;
}

PictureBatch read_pictures(std::span<const fs::path> files, const Preprocessing& preprocessing, bool skip_bad) {
    PictureBatch batch;
    std::vector<Tensor> views;
    for (const fs::path& file : files) {
        try {
            const Tensor image = data::read_image(file, {.channels = preprocessing.channels});
            views.push_back(data::evaluation_view(image, preprocessing.resize, preprocessing.size));
            batch.files.push_back(file);
        } catch (const FileError& error) {
            if (!skip_bad) throw;
            batch.problems.emplace_back(error.what());
        }
    }
    if (views.empty()) return batch;
    batch.images = Tensor::empty({std::ssize(views), preprocessing.channels, preprocessing.size, preprocessing.size},
                                 DType::float32, Device{});
    float* to = batch.images.data<float>();
    for (const Tensor& view : views) {
        normalise(view, preprocessing, to);
        to += view.numel();
    }
    return batch;
}

}  // namespace radial::predict
