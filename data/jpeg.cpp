// JPEG files, through libjpeg.
#include "radial/data/decoded.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h needs it

#include <jpeglib.h>  // before jerror.h

#include <jerror.h>

namespace radial::data {
namespace {

/// What libjpeg calls when something is wrong. It must not return, and exceptions may not pass through C: it jumps.
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

/// libjpeg only warns of an image whose pixels it has to make up. What is merely odd goes by.
void on_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    const int code = info->err->msg_code;
    static_cast<Errors*>(info->err)->truncated = code == JWRN_JPEG_EOF;
    constexpr std::array fatal = {JWRN_JPEG_EOF, JWRN_HIT_MARKER, JWRN_HUFF_BAD_CODE, JWRN_MUST_RESYNC,
                                  JWRN_ARITH_BAD_CODE};
    if (std::find(fatal.begin(), fatal.end(), code) != fatal.end()) leave(info);
}

/// Progressive JPEGs have about ten scans, each of which costs as much time as a whole image. Skia has this limit too.
constexpr int most_scans = 100;

void on_progress(j_common_ptr info) {
    const int scans = reinterpret_cast<j_decompress_ptr>(info)->input_scan_number;
    if (scans <= most_scans) return;
    auto& errors = *static_cast<Errors*>(info->err);
    errors.too_many_scans = true;
    std::longjmp(errors.escape, 1);  // NOLINT(cert-err52-cpp)
}

/// 4 bytes of inverted CMYK, as Adobe's programs store it, to 3 of RGB.
void cmyk_to_rgb(const std::uint8_t* from, std::int64_t count, std::uint8_t* to) {
    for (std::int64_t i = 0; i < count; ++i, from += 4, to += 3)
        for (int c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>((from[c] * from[3] + 127) / 255);
}

/// Whether the file's last bytes are those that end a JPEG. One that was cut short is then read to its end, where that
/// shows, though the pixels wanted may all be there.
bool has_end(std::span<const std::uint8_t> content) {
    return content.size() >= 2 && content[content.size() - 2] == 0xFF && content.back() == JPEG_EOI;
}

}  // namespace

/// One decompression. Whatever libjpeg is asked goes through call().
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
        // What a column is smoothed with lies beside it, so the edges of what libjpeg decodes differ.
        constexpr std::int64_t margin = 4;
        const std::int64_t whole = info_.output_width;
        const std::int64_t from = std::max<std::int64_t>(columns.begin - margin, 0);
        const std::int64_t to = std::min(columns.end + margin, whole);
        JDIMENSION left = 0;
        auto width = static_cast<JDIMENSION>(to - from);
        // At reduced sizes there is little left to save.
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
            std::uint8_t* line = unwanted.data();  // skipping to the end would read nothing
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

    /// `f` must hold nothing that needs a destructor: an error jumps over it.
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

Decoded decode_jpeg(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options) {
    JpegFile file(content, name, options);
    int eighths = 8;
    while (options.shorter_side > 0 && eighths > 1 &&
           std::min(file.width(), file.height()) * eighths >= options.shorter_side * 2 * 8)
        eighths /= 2;
    const auto scaled = [&](std::int64_t pixels) { return (pixels * eighths + 7) / 8; };
    const int orientation = file.orientation();  // the end of the decompression forgets it
    const JpegFile::Part part = file.begin(eighths, {0, scaled(file.height())}, {0, scaled(file.width())});
    const Tensor pixels = Tensor::empty({part.rows.size(), part.columns.size(), part.channels}, DType::uint8, Device{});
    file.read(pixels.data<std::uint8_t>());
    return {.pixels = pixels, .orientation = orientation};
}

}  // namespace radial::data
