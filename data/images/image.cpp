// Decodes JPEG with libjpeg and PNG with libpng, and applies the EXIF orientation.
#include "radial/data/images/image.h"

#include "radial/core/io/files.h"
#include "radial/data/images/jpeg_file.h"

#include <fmt/ranges.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csetjmp>
#include <cstddef>
#include <cstdio>  // required by jpeglib.h
#include <cstring>
#include <memory>
#include <string>

#include <jpeglib.h>  // before jerror.h

#include <jerror.h>

namespace radial::data {
namespace {

namespace fs = std::filesystem;

/// An image as stored in its file.
struct Decoded {
    Tensor pixels;        ///< uint8 [H, W, 1] (grey) or [H, W, 3] (RGB)
    int orientation = 1;  ///< the EXIF orientation, 1 to 8
};

/// Throws FileError unless the size is above 0 and within options.max_pixels and options.max_side.
void check_size(std::string_view name, std::int64_t width, std::int64_t height, const ImageOptions& options) {
    if (width < 1 || height < 1) throw FileError(fmt::format("{}: {} x {} pixels", name, width, height));
    if (width > options.max_pixels / height) {
        throw FileError(
            fmt::format("{}: {} x {} pixels, at most {} are taken", name, width, height, options.max_pixels));
    }
    if (std::max(width, height) > options.max_side) {
        throw FileError(
            fmt::format("{}: {} x {} pixels, at most {} are taken on a side", name, width, height, options.max_side));
    }
}

/// Reads numbers of either byte order from bytes that may end anywhere.
class Numbers {
public:
    Numbers(std::span<const std::uint8_t> bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

    bool holds(std::uint64_t at, std::uint64_t count) const { return at + count <= bytes_.size(); }
    std::uint32_t at(std::uint64_t place, std::uint64_t count) const {
        std::uint32_t value = 0;
        for (std::uint64_t i = 0; i < count; ++i)
            value = value << 8U | bytes_[place + (big_endian_ ? i : count - 1 - i)];
        return value;
    }

private:
    std::span<const std::uint8_t> bytes_;
    bool big_endian_;
};

/// The orientation in EXIF data (which begin with "II" or "MM"); 1 if there is none or the data are malformed.
int exif_orientation(std::span<const std::uint8_t> exif) {
    // The standard requires a SHORT. Some programs write a LONG; like Pillow, accept that and the signed types too.
    constexpr std::uint32_t orientation_tag = 0x0112, short_type = 3, long_type = 4, signed_short = 8, signed_long = 9;
    if (exif.size() < 8 || exif[0] != exif[1] || (exif[0] != 'I' && exif[0] != 'M')) return 1;
    const Numbers numbers(exif, exif[0] == 'M');
    if (numbers.at(2, 2) != 42) return 1;
    const std::uint64_t directory = numbers.at(4, 4);
    if (!numbers.holds(directory, 2)) return 1;
    const std::uint32_t entries = numbers.at(directory, 2);
    for (std::uint32_t i = 0; i < entries; ++i) {
        const std::uint64_t entry = directory + 2 + std::uint64_t{12} * i;
        if (!numbers.holds(entry, 12)) return 1;
        const std::uint32_t type = numbers.at(entry + 2, 2);
        const bool narrow = type == short_type || type == signed_short, wide = type == long_type || type == signed_long;
        if (numbers.at(entry, 2) != orientation_tag || !(narrow || wide)) continue;
        const std::uint32_t value = numbers.at(entry + 8, narrow ? 2 : 4);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
    return 1;
}

/// Rotates and mirrors [H, W, C] so that it is upright. The result is [W, H, C] for the orientations 5 to 8.
Tensor upright(const Tensor& pixels, int orientation) {
    if (orientation == 1) return pixels;
    const bool swapped = orientation >= 5;
    const bool flip_rows = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool flip_columns = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const std::int64_t rows = pixels.size(0), columns = pixels.size(1), channels = pixels.size(2);
    const Tensor result =
        Tensor::empty({swapped ? columns : rows, swapped ? rows : columns, channels}, DType::uint8, Device{});
    const std::uint8_t* const from = pixels.data<std::uint8_t>();
    std::uint8_t* to = result.data<std::uint8_t>();
    for (std::int64_t y = 0; y < result.size(0); ++y) {
        for (std::int64_t x = 0; x < result.size(1); ++x) {
            const std::int64_t row = swapped ? x : y, column = swapped ? y : x;
            const std::int64_t source_row = flip_rows ? rows - 1 - row : row;
            const std::int64_t source_column = flip_columns ? columns - 1 - column : column;
            to = std::copy_n(from + (source_row * columns + source_column) * channels, channels, to);
        }
    }
    return result;
}

/// The error handler of libjpeg. It must not return, and exceptions must not propagate through C code, so it uses
/// longjmp.
struct Errors : jpeg_error_mgr {
    std::jmp_buf escape;
    bool truncated, too_many_scans;
    std::array<char, JMSG_LENGTH_MAX> message;
};

[[noreturn]] void leave(j_common_ptr info) {
    auto& errors = *static_cast<Errors*>(info->err);
    errors.format_message(info, errors.message.data());
    std::longjmp(errors.escape, 1);  // NOLINT(cert-err52-cpp)
}

/// libjpeg only warns about images with missing or corrupt data. Treat these warnings as errors and ignore harmless
/// ones.
void on_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    const int code = info->err->msg_code;
    static_cast<Errors*>(info->err)->truncated = code == JWRN_JPEG_EOF;
    constexpr std::array fatal = {JWRN_JPEG_EOF, JWRN_HIT_MARKER, JWRN_HUFF_BAD_CODE, JWRN_MUST_RESYNC,
                                  JWRN_ARITH_BAD_CODE};
    if (std::find(fatal.begin(), fatal.end(), code) != fatal.end()) leave(info);
}

/// Progressive JPEGs have about ten scans, each of which takes as long as a whole image. Skia uses the same limit.
constexpr int most_scans = 100;

void on_progress(j_common_ptr info) {
    const int scans = reinterpret_cast<j_decompress_ptr>(info)->input_scan_number;
    if (scans <= most_scans) return;
    auto& errors = *static_cast<Errors*>(info->err);
    errors.too_many_scans = true;
    std::longjmp(errors.escape, 1);  // NOLINT(cert-err52-cpp)
}

/// Converts inverted CMYK (4 bytes), as Adobe programs store it, to RGB (3 bytes).
void cmyk_to_rgb(const std::uint8_t* from, std::int64_t count, std::uint8_t* to) {
    for (std::int64_t i = 0; i < count; ++i, from += 4, to += 3)
        for (int c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>((from[c] * from[3] + 127) / 255);
}

/// Whether the file ends with the end marker of a JPEG. A truncated file is decoded to its end, even if it contains all
/// the required pixels, so that the truncation is detected.
bool has_end(std::span<const std::uint8_t> content) {
    return content.size() >= 2 && content[content.size() - 2] == 0xFF && content.back() == JPEG_EOI;
}

/// Like decode_png(), throws FileError with a message that begins with `name`.
Decoded decode_jpeg(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options) {
    JpegFile file(content, name, options);
    int eighths = 8;
    while (options.shorter_side > 0 && eighths > 1 &&
           std::min(file.width(), file.height()) * eighths >= options.shorter_side * 2 * 8)
        eighths /= 2;
    const auto scaled = [&](std::int64_t pixels) { return (pixels * eighths + 7) / 8; };
    const int orientation = file.orientation();  // no longer available after decompression has finished
    const JpegFile::Part part = file.begin(eighths, {0, scaled(file.height())}, {0, scaled(file.width())});
    const Tensor pixels = Tensor::empty({part.rows.size(), part.columns.size(), part.channels}, DType::uint8, Device{});
    file.read(pixels.data<std::uint8_t>());
    return {.pixels = pixels, .orientation = orientation};
}

/// One decompression. All calls of libpng that can fail go through call().
class Reader {
public:
    Reader(std::span<const std::uint8_t> content, std::string_view name) : rest_(content), name_(name) {
        png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, [](png_structp, png_const_charp) {});
        info_ = png_ != nullptr ? png_create_info_struct(png_) : nullptr;
        if (info_ == nullptr) {
            png_destroy_read_struct(&png_, nullptr, nullptr);
            throw OutOfMemory(name_ + ": no memory to decode it");
        }
    }
    ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    void read_header() {
        call([&] {
            png_set_read_fn(png_, this, on_read);
            png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_size() has a better message
            png_read_info(png_, info_);
        });
    }
    std::int64_t width() const { return png_get_image_width(png_, info_); }
    std::int64_t height() const { return png_get_image_height(png_, info_); }

    Tensor read() {
        call([&] {
            png_set_strip_16(png_);
            png_set_palette_to_rgb(png_);
            if ((png_get_color_type(png_, info_) & PNG_COLOR_MASK_COLOR) == 0) png_set_expand_gray_1_2_4_to_8(png_);
            png_set_strip_alpha(png_);
            passes_ = png_set_interlace_handling(png_);
            png_read_update_info(png_, info_);
        });
        const std::int64_t channels = png_get_channels(png_, info_), rows = height(), row_bytes = width() * channels;
        const Tensor pixels = Tensor::empty({rows, width(), channels}, DType::uint8, Device{});
        std::uint8_t* const first = pixels.data<std::uint8_t>();
        call([&] {  // like png_read_image(), which would need an array of row pointers
            for (int pass = 0; pass < passes_; ++pass)
                for (std::int64_t y = 0; y < rows; ++y) png_read_row(png_, first + y * row_bytes, nullptr);
            png_read_end(png_, info_);
        });
        return pixels;
    }

    /// The EXIF orientation. Valid after read(), because the EXIF chunk may follow the pixels.
    int orientation() const {
        png_uint_32 count = 0;
        png_bytep data = nullptr;
        if (png_get_eXIf_1(png_, info_, &count, &data) == 0 || data == nullptr) return 1;
        return exif_orientation({data, count});
    }

private:
    [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
        auto& reader = *static_cast<Reader*>(png_get_error_ptr(png));
        std::strncpy(reader.message_.data(), message, reader.message_.size() - 1);
        png_longjmp(png, 1);
    }

    static void on_read(png_structp png, png_bytep to, std::size_t count) {
        auto& reader = *static_cast<Reader*>(png_get_io_ptr(png));
        if (count > reader.rest_.size()) {
            reader.truncated_ = true;
            png_error(png, "truncated");
        }
        std::memcpy(to, reader.rest_.data(), count);
        reader.rest_ = reader.rest_.subspan(count);
    }

    /// `f` must not own anything that needs a destructor, because an error jumps out of it.
    template <class F>
    void call(const F& f) {
        if (setjmp(png_jmpbuf(png_)) == 0) {  // NOLINT(cert-err52-cpp)
            f();
            return;
        }
        if (truncated_) throw FileError(name_ + ": truncated PNG image");
        throw FileError(fmt::format("{}: corrupt PNG image: {}", name_, message_.data()));
    }

    std::span<const std::uint8_t> rest_;
    std::string name_;
    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
    int passes_ = 1;  ///< an interlaced image has several passes over all rows
    bool truncated_ = false;
    std::array<char, 256> message_{};
};

Decoded decode_png(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options) {
    Reader reader(content, name);
    reader.read_header();
    check_size(name, reader.width(), reader.height(), options);
    const Tensor pixels = reader.read();
    return {.pixels = pixels, .orientation = reader.orientation()};
}

constexpr std::array<std::uint8_t, 3> jpeg_magic = {0xFF, 0xD8, 0xFF};
constexpr std::array<std::uint8_t, 8> png_magic = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

template <std::size_t N>
bool begins_with(std::span<const std::uint8_t> content, const std::array<std::uint8_t, N>& magic) {
    return content.size() >= N && std::equal(magic.begin(), magic.end(), content.begin());
}

/// Converts grey to RGB or RGB to grey.
Tensor with_channels(const Tensor& pixels, std::int64_t channels) {
    if (pixels.size(2) == channels) return pixels;
    const Tensor result = Tensor::empty({pixels.size(0), pixels.size(1), channels}, DType::uint8, Device{});
    const std::int64_t count = pixels.size(0) * pixels.size(1);
    const std::uint8_t* from = pixels.data<std::uint8_t>();
    std::uint8_t* to = result.data<std::uint8_t>();
    if (channels == 3) {
        for (std::int64_t i = 0; i < count; ++i, to += 3) std::fill_n(to, 3, from[i]);
    } else {
        // The weights 0.299, 0.587 and 0.114 as 16-bit fixed-point numbers, with rounding.
        for (std::int64_t i = 0; i < count; ++i, from += 3)
            to[i] = static_cast<std::uint8_t>((from[0] * 19595U + from[1] * 38470U + from[2] * 7471U + 32768U) >> 16U);
    }
    return result;
}

}  // namespace

/// One decompression. All calls of libjpeg that can fail go through call().
class JpegFile::State {
public:
    State(std::span<const std::uint8_t> content, std::string_view name) : name_(name), ends_(has_end(content)) {
        info_.err = jpeg_std_error(&errors_);
        errors_.error_exit = leave;
        errors_.emit_message = on_message;
        errors_.truncated = errors_.too_many_scans = false;
        progress_.progress_monitor = on_progress;
        try {
            read_header(content);
        } catch (...) {
            jpeg_destroy_decompress(&info_);
            throw;
        }
    }
    ~State() { jpeg_destroy_decompress(&info_); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    std::int64_t width() const { return info_.image_width; }
    std::int64_t height() const { return info_.image_height; }

    int orientation() const {
        constexpr std::array<std::uint8_t, 6> header = {'E', 'x', 'i', 'f', 0, 0};
        for (jpeg_saved_marker_ptr marker = info_.marker_list; marker != nullptr; marker = marker->next) {
            const std::span<const std::uint8_t> data(marker->data, marker->data_length);
            if (data.size() > header.size() && std::equal(header.begin(), header.end(), data.begin()))
                return exif_orientation(data.subspan(header.size()));
        }
        return 1;
    }

    bool scales_evenly() const {
        const std::span<const jpeg_component_info> parts(info_.comp_info,
                                                         static_cast<std::size_t>(info_.num_components));
        return std::all_of(parts.begin(), parts.end(), [&](const jpeg_component_info& part) {
            return part.h_samp_factor * parts[0].v_samp_factor == part.v_samp_factor * parts[0].h_samp_factor;
        });
    }

    Part begin(int eighths, Range rows, Range columns) {
        info_.scale_num = static_cast<unsigned>(eighths);
        info_.scale_denom = 8;
        if (info_.num_components == 2 || info_.num_components > 4) {
            throw FileError(
                fmt::format("{}: JPEG image of {} components, expected 1, 3 or 4", name_, info_.num_components));
        }
        if (info_.num_components >= 3) info_.out_color_space = info_.num_components == 4 ? JCS_CMYK : JCS_RGB;
        call([&] { jpeg_start_decompress(&info_); });
        rows_ = rows;
        // Upsampling uses adjacent columns, so pixels at the edges of the decoded part may differ from those of a full
        // decode. The margin keeps such pixels outside the requested columns.
        constexpr std::int64_t margin = 4;
        const std::int64_t whole = info_.output_width;
        const std::int64_t from = std::max<std::int64_t>(columns.begin - margin, 0);
        const std::int64_t to = std::min(columns.end + margin, whole);
        JDIMENSION left = 0;
        auto width = static_cast<JDIMENSION>(to - from);
        // At reduced sizes, cropping saves little time.
        if (eighths == 8 && to - from < whole) {
            left = static_cast<JDIMENSION>(from);
            call([&] { jpeg_crop_scanline(&info_, &left, &width); });
        }
        return {.rows = rows,
                .columns = {left, static_cast<std::int64_t>(left) + info_.output_width},
                .channels = channels()};
    }

    void read(std::uint8_t* to) {
        const std::int64_t columns = info_.output_width;
        const bool cmyk = info_.output_components == 4;
        std::vector<std::uint8_t> inks(cmyk ? 4 * info_.output_width : 0);
        std::vector<std::uint8_t> unwanted(ends_ ? 0 : static_cast<std::size_t>(columns * info_.output_components));
        call([&] {
            if (rows_.begin > 0) jpeg_skip_scanlines(&info_, static_cast<JDIMENSION>(rows_.begin));
            while (info_.output_scanline < static_cast<JDIMENSION>(rows_.end)) {
                std::uint8_t* line = cmyk ? inks.data() : to;
                jpeg_read_scanlines(&info_, &line, 1);
                if (cmyk) cmyk_to_rgb(line, columns, to);
                to += columns * channels();
            }
            if (info_.output_scanline < info_.output_height && ends_) return;
            std::uint8_t* line = unwanted.data();  // read the remaining rows, because skipping them would not decode
                                                   // anything
            while (info_.output_scanline < info_.output_height) jpeg_read_scanlines(&info_, &line, 1);
            jpeg_finish_decompress(&info_);
        });
    }

private:
    void read_header(std::span<const std::uint8_t> content) {
        call([&] {
            jpeg_create_decompress(&info_);
            info_.progress = &progress_;
            jpeg_mem_src(&info_, content.data(), content.size());
            jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);
            jpeg_read_header(&info_, TRUE);
        });
    }

    std::int64_t channels() const { return info_.output_components == 4 ? 3 : info_.output_components; }

    /// `f` must not own anything that needs a destructor, because an error jumps out of it.
    template <class F>
    void call(const F& f) {
        if (setjmp(errors_.escape) == 0) {  // NOLINT(cert-err52-cpp)
            f();
            return;
        }
        if (errors_.too_many_scans)
            throw FileError(fmt::format("{}: JPEG image of more than {} scans", name_, most_scans));
        if (errors_.truncated) throw FileError(fmt::format("{}: truncated JPEG image", name_));
        throw FileError(fmt::format("{}: corrupt JPEG image: {}", name_, errors_.message.data()));
    }

    std::string name_;
    bool ends_;
    Range rows_;
    Errors errors_{};
    jpeg_progress_mgr progress_{};
    jpeg_decompress_struct info_{};
};

JpegFile::JpegFile(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options)
    : state_(std::make_unique<State>(content, name)) {
    check_size(name, width(), height(), options);
}
JpegFile::~JpegFile() = default;
std::int64_t JpegFile::width() const { return state_->width(); }
std::int64_t JpegFile::height() const { return state_->height(); }
bool JpegFile::scales_evenly() const { return state_->scales_evenly(); }
int JpegFile::orientation() const { return state_->orientation(); }
JpegFile::Part JpegFile::begin(int eighths, Range rows, Range columns) { return state_->begin(eighths, rows, columns); }
void JpegFile::read(std::uint8_t* to) { state_->read(to); }

bool is_jpeg(std::span<const std::uint8_t> content) { return begins_with(content, jpeg_magic); }
bool is_png(std::span<const std::uint8_t> content) { return begins_with(content, png_magic); }

Tensor decode_image(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options) {
    RADIAL_CHECK(options.channels == 1 || options.channels == 3, "read_image: {} channels, expected 1 or 3",
                 options.channels);
    if (content.empty()) throw FileError(fmt::format("{}: empty file, expected a JPEG or PNG image", name));
    Decoded decoded;
    if (is_jpeg(content)) {
        decoded = decode_jpeg(content, name, options);
    } else if (is_png(content)) {
        decoded = decode_png(content, name, options);
    } else {
        const auto first = content.first(std::min<std::size_t>(content.size(), 4));
        throw FileError(fmt::format("{}: neither a JPEG nor a PNG image: it begins with {:02x}", name,
                                    fmt::join(first.begin(), first.end(), " ")));
    }
    return upright(with_channels(decoded.pixels, options.channels), decoded.orientation);
}

void read_bytes(const fs::path& path, std::vector<std::uint8_t>& content) {
    check_regular_file(path);
    std::error_code error;
    const auto close = [](std::FILE* file) { std::fclose(file); };
    const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rb"), close);
    if (file == nullptr) throw FileError(fmt::format("{}: cannot open: {}", path.string(), std::strerror(errno)));
    content.resize(fs::file_size(path, error));
    content.resize(std::fread(content.data(), 1, content.size(), file.get()));
    if (std::ferror(file.get()) != 0)
        throw FileError(fmt::format("{}: cannot read: {}", path.string(), std::strerror(errno)));
}

Tensor read_image(const fs::path& path, const ImageOptions& options) {
    std::vector<std::uint8_t> content;
    read_bytes(path, content);
    return decode_image(content, path.string(), options);
}

}  // namespace radial::data
