// Reads the records and class names of CIFAR, from a folder or from the published archive.
#include "radial/data/cifar.h"

#include "radial/data/archive.h"

#include <algorithm>
#include <map>
#include <sstream>

namespace radial::data {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

constexpr std::int64_t channels = 3, side = 32;
constexpr std::size_t pixels = channels * side * side;

/// The differences between the two data sets.
struct Format {
    std::string title, folder, archive;
    std::vector<std::string> train, test;  ///< file names
    std::string names;
    struct Label {
        std::string name;
        std::size_t classes;
    };
    std::vector<Label> labels;  ///< one byte each, before the pixels of each record; the last is the class

    std::size_t classes() const { return labels.back().classes; }
    std::size_t record() const { return labels.size() + pixels; }
};

const Format cifar10{
    .title = "CIFAR-10",
    .folder = "cifar-10-batches-bin",
    .archive = "cifar-10-binary.tar.gz",
    .train = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
    .test = {"test_batch.bin"},
    .names = "batches.meta.txt",
    .labels = {{"label", 10}}};

const Format cifar100{.title = "CIFAR-100",
                      .folder = "cifar-100-binary",
                      .archive = "cifar-100-binary.tar.gz",
                      .train = {"train.bin"},
                      .test = {"test.bin"},
                      .names = "fine_label_names.txt",
                      .labels = {{"coarse label", 20}, {"fine label", 100}}};

/// A file of the data set: its path for messages, and its content.
struct Content {
    fs::path path;
    Bytes bytes;
};

Bytes read_file(const fs::path& path) {
    GzipFile file(path);
    Bytes bytes;
    for (;;) {
        const std::size_t held = bytes.size();
        const std::size_t step = std::max<std::size_t>(file.size() + 1, held);
        bytes.resize(held + step);
        const std::size_t got = file.read(bytes.data() + held, step);
        bytes.resize(held + got);
        if (got < step) return bytes;
    }
}

/// The files `names` of `archive`, in any folder within it.
std::vector<Content> read_archive(const fs::path& archive, const std::vector<std::string>& names) {
    std::map<std::string, Bytes> found;
    TarReader reader(archive);
    while (found.size() < names.size()) {
        const std::optional<TarEntry> entry = reader.next();
        if (!entry) break;
        const std::string name = fs::path(entry->name).filename().string();
        if (std::find(names.begin(), names.end(), name) != names.end()) found[name] = reader.read();
    }
    std::vector<Content> contents;
    for (const std::string& name : names) {
        const auto it = found.find(name);
        if (it == found.end()) fail_at(archive, "no {} in this archive", name);
        contents.push_back({archive / name, std::move(it->second)});
    }
    return contents;
}

/// The files `names` from `source`: a folder, its subfolder, or an archive.
std::vector<Content> read_files(const Format& format, const fs::path& source, const std::vector<std::string>& names) {
    if (!fs::exists(source)) fail_at(source, "no such folder or archive");
    if (!fs::is_directory(source)) return read_archive(source, names);
    const auto has_any = [&](const fs::path& folder) {
        return std::any_of(names.begin(), names.end(), [&](const auto& name) { return fs::exists(folder / name); });
    };
    const fs::path inner = source / format.folder, archive = source / format.archive;
    if (!has_any(source) && !has_any(inner)) {
        if (fs::exists(archive)) return read_archive(archive, names);
        fail_at(source, "no {} in this folder (nor {}/ with it, nor {})", names.front(), format.folder, format.archive);
    }
    const fs::path folder = has_any(source) ? source : inner;
    std::vector<Content> contents;
    contents.reserve(names.size());
    for (const std::string& name : names) contents.push_back({folder / name, read_file(folder / name)});
    return contents;
}

/// One name per line. Empty lines, such as the last line of CIFAR-10's file, are ignored.
std::vector<std::string> parse_names(const Format& format, const Content& content) {
    std::vector<std::string> names;
    std::size_t count = 0;  // also counts excess names, which are not stored
    std::istringstream text(std::string(content.bytes.begin(), content.bytes.end()));
    for (std::string line; std::getline(text, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (!line.empty() && ++count <= format.classes()) names.push_back(line);
    }
    if (count != format.classes())
        fail_at(content.path, "{} class names, {} has {}", count, format.title, format.classes());
    return names;
}

void check_length(const Format& format, const Content& content) {
    const std::size_t bytes = content.bytes.size(), record = format.record();
    if (bytes == 0) fail_at(content.path, "empty file, expected records of {} bytes", record);
    if (bytes % record != 0)
        fail_at(content.path, "{} bytes, expected whole records of {}: {} images and {} bytes", bytes, record,
                bytes / record, bytes % record);
}

/// The class of record number `index`.
std::int64_t label_of(const Format& format, const Content& content, std::size_t index) {
    const std::uint8_t* const record = content.bytes.data() + index * format.record();
    for (std::size_t i = 0; i < format.labels.size(); ++i) {
        const auto& [name, classes] = format.labels[i];
        if (record[i] >= classes)
            fail_at(content.path, "{} of image {} is {}, expected 0 to {}", name, index, record[i], classes - 1);
    }
    return record[format.labels.size() - 1];
}

ImageSet read_cifar(const Format& format, const fs::path& source, bool train) {
    std::vector<std::string> wanted = train ? format.train : format.test;
    wanted.push_back(format.names);
    std::vector<Content> contents = read_files(format, source, wanted);
    std::vector<std::string> class_names = parse_names(format, contents.back());
    contents.pop_back();

    std::int64_t count = 0;
    for (const Content& content : contents) {
        check_length(format, content);
        count += static_cast<std::int64_t>(content.bytes.size() / format.record());
    }
    ImageSet set{Tensor::empty({count, channels, side, side}, DType::uint8, Device{}),
                 Tensor::empty({count}, DType::int64, Device{}), std::move(class_names)};
    std::uint8_t* image = set.images.data<std::uint8_t>();
    std::int64_t* label = set.labels.data<std::int64_t>();
    for (const Content& content : contents) {
        const std::uint8_t* record = content.bytes.data();
        for (std::size_t i = 0; i < content.bytes.size() / format.record(); ++i) {
            *label++ = label_of(format, content, i);
            image = std::copy_n(record + format.labels.size(), pixels, image);
            record += format.record();
        }
    }
    return set;
}

}  // namespace

ImageSet read_cifar10(const fs::path& source, bool train) { return read_cifar(cifar10, source, train); }

ImageSet read_cifar100(const fs::path& source, bool train) { return read_cifar(cifar100, source, train); }

DatasetInfo cifar10_info() {
    return {.name = "cifar10",
            .source = "Krizhevsky 2009",
            .mean = {0.4914F, 0.4822F, 0.4465F},
            .std = {0.2470F, 0.2435F, 0.2616F},
            .read = reader_of(read_cifar10)};
}

DatasetInfo cifar100_info() {
    return {.name = "cifar100",
            .source = "Krizhevsky 2009",
            .mean = {0.5071F, 0.4865F, 0.4409F},
            .std = {0.2673F, 0.2564F, 0.2762F},
            .read = reader_of(read_cifar100)};
}

}  // namespace radial::data
