// Reads outliers in any known format and brings them to the shape of the test set's images.
#include "radial/apps/cli/outliers.h"

#include "radial/core/util/error.h"
#include "radial/data/image_folder.h"
#include "radial/data/image_set.h"
#include "radial/data/images/image.h"

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace radial::train {
namespace {

namespace fs = std::filesystem;

/// Converts a uint8 image [C, H, W] to [H, W, C].
Tensor interleaved(const Tensor& planes) {
    const std::int64_t channels = planes.size(0), pixels = planes.size(1) * planes.size(2);
    const Tensor result = Tensor::empty({planes.size(1), planes.size(2), channels}, DType::uint8, Device{});
    const auto* const from = planes.data<std::uint8_t>();
    auto* to = result.data<std::uint8_t>();
    for (std::int64_t i = 0; i < pixels; ++i)
        for (std::int64_t c = 0; c < channels; ++c) *to++ = from[c * pixels + i];
    return result;
}

/// Converts a uint8 image [1 or 3, H, W] to `channels` channels, 1 or 3. Grey is 0.299 R + 0.587 G + 0.114 B, rounded
/// as in read_image().
Tensor with_channels(const Tensor& planes, std::int64_t channels) {
    if (planes.size(0) == channels) return planes;
    const std::int64_t pixels = planes.size(1) * planes.size(2);
    const Tensor result = Tensor::empty({channels, planes.size(1), planes.size(2)}, DType::uint8, Device{});
    const auto* const from = planes.data<std::uint8_t>();
    auto* const to = result.data<std::uint8_t>();
    for (std::int64_t i = 0; i < pixels; ++i) {
        if (channels == 3) {
            to[i] = to[pixels + i] = to[2 * pixels + i] = from[i];
        } else {
            constexpr std::uint32_t red = 19595, green = 38470, blue = 7471, half = 0x8000;  // in units of 1/65536
            to[i] = static_cast<std::uint8_t>(
                (red * from[i] + green * from[pixels + i] + blue * from[2 * pixels + i] + half) >> 16U);
        }
    }
    return result;
}

/// The images of a set in another shape. get() converts each image when it is requested.
class Reshaped : public data::Dataset {
public:
    /// `shape` is [1 or 3, side, side]; `resize` is the length of the shorter side before the centre is cut out.
    Reshaped(data::ImageSet set, const Shape& shape, std::int64_t resize)
        : set_(std::move(set)), shape_(shape), resize_(resize) {
        notes = set_.notes;
    }
    std::int64_t size() const override { return set_.size(); }
    Shape input_shape() const override { return shape_; }
    data::Sample get(std::int64_t index) const override {
        return {with_channels(view(index), shape_[0]), Tensor::zeros({}, DType::int64, Device{})};
    }

private:
    Tensor view(std::int64_t index) const {
        if (set_.files) {
            const Tensor image =
                data::read_image((*set_.files)[static_cast<std::size_t>(index)], {.channels = shape_[0]});
            return data::evaluation_view(image, resize_, shape_[1]);
        }
        return data::evaluation_view(interleaved(set_.picture(index)), resize_, shape_[1]);
    }

    data::ImageSet set_;
    Shape shape_;
    std::int64_t resize_;
};

/// Converts the images of `found` to the shape of those of `test`. Throws Error when that is not possible.
std::shared_ptr<data::Dataset> fitted(const fs::path& folder, const data::ImageSet& found, const data::ImageSet& test) {
    const Shape shape = test.input_shape();
    if (!found.files && found.input_shape() == shape) return std::make_shared<data::ImageSet>(found);
    RADIAL_CHECK(shape[1] == shape[2],
                 "{}: outliers cannot be brought to the shape {} of the test images, which are not "
                 "square",
                 folder.string(), shape.str());
    const auto usual = [](std::int64_t channels) { return channels == 1 || channels == 3; };
    RADIAL_CHECK(usual(shape[0]) && usual(found.channels()),
                 "{}: outliers of {} channels cannot be brought to the {} of the test images, expected 1 or 3",
                 folder.string(), found.channels(), shape[0]);
    return std::make_shared<Reshaped>(found, shape, test.files ? test.view.resize : shape[1]);
}

/// All pictures in a folder. Throws FileError when there is none.
data::ImageSet read_pictures_in(const fs::path& folder) {
    data::FoundImages found = data::find_images(folder);
    if (found.files.empty()) throw FileError(folder.string() + ": no JPEG or PNG file in this folder");
    const std::int64_t count = std::ssize(found.files);
    data::ImageSet set(std::move(found.files), Tensor::zeros({count}, DType::int64, Device{}), {"outlier"});
    if (!found.others.empty()) set.notes.push_back(data::passed_over(found.others));
    return set;
}

/// A way to read a folder.
struct Format {
    std::string name;
    std::function<std::shared_ptr<data::Dataset>()> read;
};

std::vector<Format> formats(const ImageTask& task, const fs::path& folder, bool images) {
    std::vector<Format> all = {{task.program, [&task, folder] { return task.read(folder, false); }}};
    if (!images) return all;
    for (const data::DatasetInfo& info : data::dataset_registry())
        all.push_back({info.name, [&info, folder] { return info.read(folder, false); }});
    all.push_back({"picture files", [folder] { return std::make_shared<data::ImageSet>(read_pictures_in(folder)); }});
    return all;
}

}  // namespace

Outliers read_outliers(const ImageTask& task, const fs::path& folder, const data::Dataset& test) {
    if (!fs::exists(folder)) throw FileError(folder.string() + ": no such folder of outliers");
    const auto* const images = dynamic_cast<const data::ImageSet*>(&test);
    std::string problems;
    for (const Format& format : formats(task, folder, images != nullptr)) {
        std::shared_ptr<data::Dataset> found;
        try {
            found = format.read();
        } catch (const FileError& error) {
            problems += fmt::format("\n  as {}: {}", format.name, error.what());
            continue;
        }
        if (const auto* const pictures = dynamic_cast<const data::ImageSet*>(found.get());
            pictures != nullptr && images != nullptr)
            found = fitted(folder, *pictures, *images);
        RADIAL_CHECK(found->size() > 0, "{}: there are no outliers in it", folder.string());
        RADIAL_CHECK(found->input_shape() == test.input_shape(), "{}: outliers have the shape {}, the test set has {}",
                     folder.string(), found->input_shape().str(), test.input_shape().str());
        const data::Fingerprint outside = data::fingerprint(*found), inside = data::fingerprint(test);
        RADIAL_CHECK(outside.samples != inside.samples || outside.content != inside.content,
                     "{}: the outliers are the test set itself; give the folder of other images", folder.string());
        return {.set = std::move(found), .format = format.name};
    }
    throw FileError(fmt::format("{}: no outliers in a format that is known:{}", folder.string(), problems));
}

}  // namespace radial::train
