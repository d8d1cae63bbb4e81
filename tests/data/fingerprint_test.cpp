// Tests of fingerprints: they do not depend on a data set's location, and different data sets have different ones.
#include "../expect.h"
#include "radial/data/dataset.h"
#include "radial/data/image_set.h"
#include "scratch.h"

namespace radial::test {
namespace {

namespace fs = std::filesystem;

data::ImageSet in_memory(std::uint8_t first_pixel, std::int64_t first_label) {
    return {Tensor::from(std::vector<std::uint8_t>{first_pixel, 2, 3, 4, 5, 6}, {3, 1, 1, 2}, Device{}),
            Tensor::from(std::vector<std::int64_t>{first_label, 1, 0}, {3}, Device{}),
            {"a", "b"}};
}

/// A data set of files of two classes in `root`. All files have the same content, except the last, whose content is
/// `last`.
data::ImageSet in_files(const Scratch& scratch, const std::string& root, const std::string& last = "same") {
    std::vector<fs::path> files;
    for (const char* const name : {"cat/1.png", "dog/1.png", "cat/2.png", "dog/2.png"})
        files.push_back(scratch.write(root + "/" + name, files.size() == 3 ? last : "same"));
    return {files, Tensor::from(std::vector<std::int64_t>{0, 1, 0, 1}, {4}, Device{}), {"cat", "dog"}};
}

}  // namespace

TEST_CASE("a fingerprint of images in memory knows their number, shape, pixels and labels", "[host][data]") {
    const data::Fingerprint print = data::fingerprint(in_memory(1, 0));
    CHECK(print.samples == 3);
    CHECK(print.image == "1x1x2");
    CHECK(print.content.size() == 16);
    CHECK(data::fingerprint(in_memory(1, 0)).content == print.content);
    CHECK(data::fingerprint(in_memory(129, 0)).content != print.content);
    CHECK(data::fingerprint(in_memory(1, 1)).content != print.content);
    CHECK(data::fingerprint(in_memory(1, 0).first(2)).content != print.content);
}

TEST_CASE("a fingerprint of files is that of their names below the common folder, sizes and beginnings",
          "[host][data]") {
    const Scratch scratch;
    const data::Fingerprint print = data::fingerprint(in_files(scratch, "here"));
    CHECK(print.samples == 4);
    CHECK(print.image == "files");
    CHECK(data::fingerprint(in_files(scratch, "far/away")).content == print.content);
    CHECK(data::fingerprint(in_files(scratch, "longer", "same, but longer")).content != print.content);
    CHECK(data::fingerprint(in_files(scratch, "other", "some")).content != print.content);
    data::ImageSet renamed = in_files(scratch, "renamed");
    fs::rename(scratch.path() / "renamed/cat", scratch.path() / "renamed/fox");
    std::vector<fs::path> files = *renamed.files;
    for (fs::path& file : files)
        if (file.parent_path().filename() == "cat") file = file.parent_path().parent_path() / "fox" / file.filename();
    renamed.files = std::make_shared<const std::vector<fs::path>>(files);
    CHECK(data::fingerprint(renamed).content != print.content);
}

TEST_CASE("a file that cannot be read has a fingerprint all the same", "[host][data]") {
    const Scratch scratch;
    const data::ImageSet set = in_files(scratch, "here");
    const std::string before = data::fingerprint(set).content;
    fs::remove(set.files->back());
    CHECK(data::fingerprint(set).content != before);
}

TEST_CASE("a fingerprint of other sets knows their inputs and targets", "[host][data]") {
    const auto of = [](float input, float target) {
        return data::fingerprint(data::TensorSet(Tensor::from(std::vector<float>{input, 2}, {2, 1}, Device{}),
                                                 Tensor::from(std::vector<float>{target, 3}, {2, 1}, Device{})));
    };
    CHECK(of(1, 0).samples == 2);
    CHECK(of(1, 0).image == "1");
    CHECK(of(1, 0).content == of(1, 0).content);
    CHECK(of(1, 0).content != of(1.5, 0).content);
    CHECK(of(1, 0).content != of(1, 0.5).content);
}

}  // namespace radial::test
