// Reads IDX files, plain or gzipped, without trusting their headers.
#include "radial/data/idx.h"

#include "radial/data/archive.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <string_view>

namespace radial::data {
namespace {

namespace fs = std::filesystem;

/// The content of an IDX header.
struct Header {
    Shape shape;
    std::uint64_t bytes = 0;  ///< size of the data after the header: the product of the extents
};

/// The code and name of an IDX element type: "0x0d (float32)".
std::string element_type(std::uint8_t code) {
    std::string_view name = "unknown";
    if (code == 0x09) name = "signed byte";
    if (code == 0x0B) name = "int16";
    if (code == 0x0C) name = "int32";
    if (code == 0x0D) name = "float32";
    if (code == 0x0E) name = "float64";
    return fmt::format("0x{:02x} ({})", code, name);
}

Header read_header(const fs::path& path, GzipFile& reader) {
    std::array<std::uint8_t, 4> magic{};
    if (reader.size() == 0) fail_at(path, "empty file, expected an IDX header");
    if (const std::size_t got = reader.read(magic.data(), 4); got < 4) {
        fail_at(path, "truncated IDX header: {} bytes, expected at least 8", got);
    }
    if (magic[0] != 0 || magic[1] != 0) {
        fail_at(path,
                "not an IDX file: its first bytes are {:02x} {:02x} {:02x} {:02x}, expected 00 00 08 and the rank",
                magic[0], magic[1], magic[2], magic[3]);
    }
    if (magic[2] != 0x08) {
        fail_at(path, "IDX element type is {}, expected 0x08 (unsigned byte)", element_type(magic[2]));
    }
    const int rank = magic[3];
    if (rank < 1 || rank > Shape::max_rank) fail_at(path, "IDX rank is {}, expected 1 to {}", rank, Shape::max_rank);

    std::array<std::uint8_t, std::size_t{4} * Shape::max_rank> raw{};
    const std::size_t wanted = 4 * static_cast<std::size_t>(rank);
    if (const std::size_t got = reader.read(raw.data(), wanted); got < wanted) {
        fail_at(path, "truncated IDX header: {} bytes, expected {}", 4 + got, 4 + wanted);
    }
    std::array<std::int64_t, Shape::max_rank> extents{};
    for (std::size_t d = 0; d < static_cast<std::size_t>(rank); ++d) {
        const std::uint8_t* b = raw.data() + 4 * d;
        extents[d] = std::int64_t{b[0]} << 24 | std::int64_t{b[1]} << 16 | std::int64_t{b[2]} << 8 | std::int64_t{b[3]};
    }
    Header header{Shape(std::span<const std::int64_t>(extents).first(static_cast<std::size_t>(rank))), 1};
    // The product that is checked for overflow omits extents of zero, so that strides cannot overflow either.
    std::int64_t product = 1;
    for (const std::int64_t extent : header.shape) {
        if (extent > 0 && product > std::numeric_limits<std::int64_t>::max() / extent) {
            fail_at(path, "IDX shape {} is too large", header.shape.str());
        }
        product *= std::max<std::int64_t>(extent, 1);
        header.bytes *= static_cast<std::uint64_t>(extent);
    }
    return header;
}

/// Reads the data of a plain file. Its size is checked against the header before anything is allocated.
Tensor read_plain(const fs::path& path, GzipFile& reader, const Header& header) {
    const std::uint64_t held = reader.size() - 4 - 4 * static_cast<std::uint64_t>(header.shape.rank());
    if (held < header.bytes) {
        fail_at(path, "truncated: {} bytes of data, expected {} for shape {}", held, header.bytes, header.shape.str());
    }
    if (held > header.bytes) {
        fail_at(path, "too long: more than the {} bytes of data of shape {}", header.bytes, header.shape.str());
    }
    const Tensor result = Tensor::empty(header.shape, DType::uint8, Device{});
    if (reader.read(result.data<std::uint8_t>(), header.bytes) < header.bytes)
        fail_at(path, "became shorter while read");
    return result;
}

/// Reads the data of a gzipped file into a buffer that grows with the data received, not with the size in the header.
Tensor read_gzip(const fs::path& path, GzipFile& reader, const Header& header) {
    std::vector<std::uint8_t> buffer;
    while (buffer.size() < header.bytes) {
        const std::size_t held = buffer.size();
        const std::size_t step = std::min<std::uint64_t>(header.bytes - held, std::max<std::size_t>(held, 1U << 20U));
        buffer.resize(held + step);
        if (const std::size_t got = reader.read(buffer.data() + held, step); got < step) {
            fail_at(path, "truncated: {} bytes of data, expected {} for shape {}", held + got, header.bytes,
                    header.shape.str());
        }
    }
    // Reading past the end of the data also makes zlib check the CRC of the stream.
    if (std::uint8_t more = 0; reader.read(&more, 1) != 0) {
        fail_at(path, "too long: more than the {} bytes of data of shape {}", header.bytes, header.shape.str());
    }
    return Tensor::from<std::uint8_t>(std::span<const std::uint8_t>(buffer), header.shape, Device{});
}

/// The file for `stem` ("train-images") and `kind` ("idx3") in `folder`, under any of its four usual names.
fs::path find_mnist_file(const fs::path& folder, const std::string& stem, const std::string& kind) {
    const std::string dashed = stem + "-" + kind + "-ubyte", dotted = stem + "." + kind + "-ubyte";
    for (const std::string& name : {dashed, dashed + ".gz", dotted, dotted + ".gz"}) {
        if (fs::exists(folder / name)) return folder / name;
    }
    fail_at(folder, "no {0} in this folder (nor {0}.gz, {1}, {1}.gz)", dashed, dotted);
}

/// CRC-32 of the labels of the 60,000 training and 10,000 test images. They distinguish MNIST from Fashion-MNIST, which
/// has the same format and file names.
constexpr std::array<std::uint32_t, 2> mnist_labels = {0xBA07E8EF, 0xEE8604D9};
constexpr std::array<std::uint32_t, 2> fashion_labels = {0x2ED6E46A, 0x242BC73F};

/// The name of the folder itself, in lower case, regardless of how the path is written.
std::string own_name(const fs::path& folder) {
    const fs::path path = fs::absolute(folder).lexically_normal();
    std::string name = (path.has_filename() ? path : path.parent_path()).filename().string();
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name;
}

/// The class names of Fashion-MNIST or MNIST, which have the same format and file names. The two are recognised by
/// their labels; for other labels, such as those of a part of a set, the name of the folder decides.
std::vector<std::string> class_names_for(const fs::path& folder, std::span<const std::uint8_t> labels) {
    const auto sum = static_cast<std::uint32_t>(crc32_z(0, labels.data(), labels.size()));
    const auto among = [sum](const auto& sums) { return std::find(sums.begin(), sums.end(), sum) != sums.end(); };
    const bool called_so = !among(mnist_labels) && own_name(folder).find("fashion") != std::string::npos;
    if (among(fashion_labels) || called_so) {
        return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
    }
    return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
}

}  // namespace

Tensor read_idx(const fs::path& path) {
    GzipFile reader(path);
    const Header header = read_header(path, reader);
    return reader.plain() ? read_plain(path, reader, header) : read_gzip(path, reader, header);
}

ImageSet read_mnist(const fs::path& folder, bool train) {
    if (!fs::is_directory(folder)) fail_at(folder, "no such folder");
    const std::string part = train ? "train" : "t10k";
    const fs::path images_path = find_mnist_file(folder, part + "-images", "idx3");
    const fs::path labels_path = find_mnist_file(folder, part + "-labels", "idx1");
    const Tensor images = read_idx(images_path);
    if (images.rank() != 3) {
        fail_at(images_path, "images have shape {}, expected [N, rows, columns]", images.shape().str());
    }
    if (images.numel() == 0) {
        fail_at(images_path, "images have shape {}, expected at least one pixel", images.shape().str());
    }
    const Tensor labels = read_idx(labels_path);
    if (labels.rank() != 1) fail_at(labels_path, "labels have shape {}, expected [N]", labels.shape().str());
    if (images.size(0) != labels.size(0)) {
        fail_at(folder, "{} images in {} but {} labels in {}", images.size(0), images_path.filename().string(),
                labels.size(0), labels_path.filename().string());
    }
    const std::span<const std::uint8_t> values = labels.values<std::uint8_t>();
    std::vector<std::string> class_names = class_names_for(folder, values);
    const auto bad =
        std::find_if(values.begin(), values.end(), [&](int label) { return label >= std::ssize(class_names); });
    if (bad != values.end()) {
        fail_at(labels_path, "label {} is {}, expected 0 to {}", bad - values.begin(), *bad, class_names.size() - 1);
    }
    ImageSet set(images.view({images.size(0), 1, images.size(1), images.size(2)}), labels.to(DType::int64),
                 std::move(class_names));
    set.names_are_guessed = true;
    return set;
}

DatasetInfo mnist_info() {
    return {.name = "mnist",
            .source = "LeCun et al. 1998, and any set in four IDX files with the same names",
            .mean = {0.1307F},
            .std = {0.3081F},
            .read = reader_of(read_mnist)};
}

}  // namespace radial::data
