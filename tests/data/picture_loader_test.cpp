// Tests of the loader with image files, with mixing, and with ImageNet's folders.
#include "../catch.h"
#include "../expect.h"
#include "pictures.h"
#include "radial/data/image_folder.h"
#include "radial/data/images/image.h"
#include "radial/data/images/view.h"
#include "radial/data/loader.h"

#include <algorithm>
#include <numeric>

using namespace radial;
using namespace radial::data;
using namespace radial::test;
namespace fs = std::filesystem;

namespace {

std::vector<Batch> epoch_of(Loader& loader, std::int64_t epoch) {
    std::vector<Batch> batches;
    loader.start(epoch);
    while (std::optional<Batch> batch = loader.next()) batches.push_back(*std::move(batch));
    return batches;
}

std::vector<std::int64_t> indices_of(const std::vector<Batch>& batches) {
    std::vector<std::int64_t> all;
    for (const Batch& batch : batches) all.insert(all.end(), batch.indices.begin(), batch.indices.end());
    return all;
}

/// 12 images of 1 x 16 x 16. All bytes of image i are 20 * i.
ImageSet numbered() {
    std::vector<std::uint8_t> bytes(12 * 256);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i / 256 * 20);
    std::vector<std::int64_t> labels(12);
    std::iota(labels.begin(), labels.end(), 0);
    return {Tensor::from(bytes, {12, 1, 16, 16}), Tensor::from(labels, {12}), std::vector<std::string>(12, "class")};
}

LoaderOptions training() {
    return {.batch_size = 3,
            .shuffle = true,
            .seed = 4,
            .transforms = {.pixels = {color_jitter({.brightness = 0.3, .hue = 0.1})}, .normalised = {random_flip()}},
            .random_region = RandomRegionOptions{}};
}

}  // namespace

TEST_CASE("evaluation sees each file as ImageSet::picture shows it, normalised", "[host][data][loader][pictures]") {
    const PictureSet pictures;
    Loader loader(pictures.set, {.batch_size = 3, .workers = 2, .mean = {0.5F}, .std = {0.25F}});
    for (const Batch& batch : epoch_of(loader, 0)) {
        std::vector<float> expected;
        for (const std::int64_t sample : batch.indices) {
            const Tensor shown = pictures.set.picture(sample);
            CHECK(shown.str() == "uint8[3, 40, 40]");
            for (const auto byte : shown.to_vector<std::uint8_t>())
                expected.push_back((static_cast<float>(byte) / 255.0F - 0.5F) / 0.25F);
        }
        CHECK(differences(batch.images.to_vector<float>(), expected) == "");
        CHECK(differences(batch.labels.to_vector<std::int64_t>(), batch.indices) == "");
    }
}

TEST_CASE("augmented pictures follow from seed, epoch and sample alone", "[host][data][loader][pictures]") {
    const PictureSet pictures;
    LoaderOptions options = training();
    options.mixing = {.mixup = 0.4, .cutmix = 1};
    Loader loader(pictures.set, options);
    const std::vector<Batch> expected = epoch_of(loader, 2);
    for (const int workers : {0, 3}) {
        options.workers = workers;
        Loader other(pictures.set, options);
        const std::vector<Batch> batches = epoch_of(other, 2);
        REQUIRE(batches.size() == expected.size());
        for (std::size_t i = 0; i < batches.size(); ++i) {
            CHECK(differences(batches[i].images.to_vector<float>(), expected[i].images.to_vector<float>()) == "");
            CHECK(differences(batches[i].other_labels.to_vector<int>(), expected[i].other_labels.to_vector<int>()) ==
                  "");
            CHECK(batches[i].share.item() == expected[i].share.item());
        }
    }
    CHECK(epoch_of(loader, 3)[0].images.to_vector<float>() != expected[0].images.to_vector<float>());
}

TEST_CASE("a random region of images in memory keeps their size", "[host][data][loader]") {
    const ImageSet set = numbered();
    LoaderOptions options = training();
    options.transforms = {};
    Loader loader(set, options);
    for (const Batch& batch : epoch_of(loader, 0)) {
        CHECK(batch.images.str() == "float32[3, 1, 16, 16]");
        CHECK(batch.images.values<float>()[0] == static_cast<float>(batch.indices[0] * 20) / 255.0F);
    }
}

TEST_CASE("a file that cannot be read is an error that names it", "[host][data][loader][pictures]") {
    const PictureSet pictures;
    pictures.scratch.write(pictures.names[4], "no picture");
    Loader loader(pictures.set, {.batch_size = 3, .workers = 2});
    CHECK(error_of<FileError>([&] { epoch_of(loader, 0); }) ==
          pictures.file(4).string() + ": neither a JPEG nor a PNG image: it begins with 6e 6f 20 70");
    CHECK(loader.problems().empty());
}

TEST_CASE("files that cannot be read are replaced by the next that can, or left out, and told",
          "[host][data][loader][pictures]") {
    const PictureSet pictures;
    for (const std::size_t bad : {2, 3, 7}) pictures.scratch.write(pictures.names[bad], "");
    LoaderOptions options{.batch_size = 2, .workers = 2, .corrupt_files = CorruptFiles::replace};
    Loader replacing(pictures.set, options);
    const std::vector<Batch> batches = epoch_of(replacing, 0);
    CHECK(indices_of(batches) == std::vector<std::int64_t>{0, 1, 4, 4, 4, 5, 6, 0});
    CHECK(batches[1].labels.to_vector<int>() == std::vector<int>{4, 4});
    options.corrupt_files = CorruptFiles::leave_out;
    Loader leaving(pictures.set, options);
    const std::vector<Batch> fewer = epoch_of(leaving, 0);
    CHECK(indices_of(fewer) == std::vector<std::int64_t>{0, 1, 4, 5, 6});
    CHECK(fewer.size() == 3);  // a batch without samples is skipped
    CHECK(fewer[2].images.str() == "float32[1, 3, 40, 40]");
    for (const Loader* const loader : {&replacing, &leaving}) {
        const std::vector<std::string> problems = loader->problems();
        REQUIRE(problems.size() == 3);
        CHECK(problems[2] == pictures.file(7).string() + ": empty file, expected a JPEG or PNG image");
    }
    for (const std::string& name : pictures.names) pictures.scratch.write(name, "");
    CHECK(error_of<FileError>([&] { epoch_of(replacing, 1); }).starts_with("none of the files can be read: "));
}

TEST_CASE("mixup blends each image and label with another's in one share a batch", "[host][data][mixing]") {
    Loader loader(numbered(), {.batch_size = 6, .shuffle = true, .seed = 2, .mixing = {.mixup = 1}});
    for (const Batch& batch : epoch_of(loader, 0)) {
        const auto share = static_cast<float>(batch.share.item());
        const auto own = batch.labels.to_vector<float>(), other = batch.other_labels.to_vector<float>();
        CHECK((share > 0 && share < 1));
        CHECK(batch.share.str() == "float32[]");
        CHECK(std::is_permutation(own.begin(), own.end(), other.begin()));
        for (std::size_t i = 0; i < 6; ++i)
            CHECK(batch.images.values<float>()[i * 256 + 77] ==
                  Approx((share * own[i] + (1 - share) * other[i]) * 20 / 255).margin(1e-6));
    }
}

TEST_CASE("CutMix pastes a rectangle, and the share is that of the pixels", "[host][data][mixing]") {
    Loader loader(numbered(), {.batch_size = 6, .shuffle = true, .seed = 2, .mixing = {.cutmix = 1}});
    bool some = false;
    for (std::int64_t epoch = 0; epoch < 4; ++epoch)
        for (const Batch& batch : epoch_of(loader, epoch)) {
            const auto own = batch.labels.to_vector<int>(), other = batch.other_labels.to_vector<int>();
            for (std::size_t i = 0; i < 6; ++i) {
                if (own[i] == other[i]) continue;
                int kept = 0, pasted = 0;
                for (std::size_t p = 0; p < 256; ++p) {
                    const auto number = std::lround(batch.images.values<float>()[i * 256 + p] * 255 / 20);
                    kept += number == own[i] ? 1 : 0;
                    pasted += number == other[i] ? 1 : 0;
                }
                CHECK(kept + pasted == 256);
                CHECK(kept == Approx(256 * batch.share.item()));
                some = some || (kept > 0 && pasted > 0);
            }
        }
    CHECK(some);
}

TEST_CASE("shares are drawn from Beta(alpha, alpha)", "[host][data][mixing]") {
    for (const double alpha : {0.2, 1.0, 4.0}) {
        Loader loader(numbered(), {.batch_size = 1, .seed = 6, .mixing = {.mixup = alpha}});
        double sum = 0, squares = 0;
        constexpr int epochs = 250;
        for (int epoch = 0; epoch < epochs; ++epoch)
            for (const Batch& batch : epoch_of(loader, epoch)) {
                sum += batch.share.item();
                squares += batch.share.item() * batch.share.item();
            }
        const double mean = sum / (12 * epochs), variance = squares / (12 * epochs) - mean * mean;
        INFO(alpha);
        CHECK(mean == Approx(0.5).margin(0.03));
        CHECK(variance == Approx(1 / (4 * (2 * alpha + 1))).margin(0.01));
    }
    CHECK(error_of([] { check(MixingOptions{.mixup = -1}); }) ==
          "mixing: mixup's alpha is -1, expected a finite number of at least 0");
}

TEST_CASE("ImageNet's classes take turns and have the names of the list", "[host][data][imagenet]") {
    const Scratch scratch;
    for (const char* const name : {"train/n02/a.JPEG", "train/n02/b.JPEG", "train/n02/c.JPEG", "train/n01/d.JPEG",
                                   "train/n01/e.JPEG", "val/n01/f.JPEG", "val/n02/g.JPEG"})
        scratch.write(name, "x");
    scratch.write("LOC_synset_mapping.txt", "n01 tench, Tinca tinca\n");
    const ImageSet train = read_imagenet(scratch.path(), true), val = read_imagenet(scratch.path(), false);
    CHECK(train.class_names == std::vector<std::string>{"tench, Tinca tinca", "n02"});
    CHECK(train.labels.to_vector<int>() == std::vector<int>{0, 1, 0, 1, 1});
    CHECK(train.files->at(3) == scratch.path() / "train/n02/b.JPEG");
    CHECK(train.first(2).size() == 2);
    CHECK(train.first(2).files->at(1) == scratch.path() / "train/n02/a.JPEG");
    CHECK(val.labels.to_vector<int>() == std::vector<int>{0, 1});
    scratch.write("val/n03/h.JPEG", "x");
    CHECK(error_of<FileError>([&] { read_imagenet(scratch.path(), false); }) ==
          (scratch.path() / "val/n03").string() + ": not one of the 2 classes");
    CHECK(error_of<FileError>([&] { read_imagenet(scratch.path() / "val", true); }) ==
          (scratch.path() / "val").string() + ": neither train/ nor val/ in this folder");
}
