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
    bool truncated;
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

/// 4 bytes of inverted CMYK, as Adobe's programs store it, to 3 of RGB.
void cmyk_to_rgb(const std::uint8_t* from, std::int64_t count, std::uint8_t* to) {
    for (std::int64_t i = 0; i < count; ++i, from += 4, to += 3)
        for (int c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>((from[c] * from[3] + 127) / 255);
}

/// One decompression. Whatever libjpeg is asked goes through call().
class Reader {
public:
    explicit Reader(std::string_view name) : name_(name) {
        info_.err = jpeg_std_error(&errors_);
        errors_.error_exit = leave;
        errors_.emit_message = on_message;
        errors_.truncated = false;
    }
    ~Reader() { jpeg_destroy_decompress(&info_); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    void read_header(std::span<const std::uint8_t> content) {
        call([&] {
            jpeg_create_decompress(&info_);
            jpeg_mem_src(&info_, content.data(), content.size());
            jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);
            jpeg_read_header(&info_, TRUE);
        });
    }

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

    Tensor read(std::int64_t shorter_side) {
        info_.scale_denom = 1;
        while (shorter_side > 0 && info_.scale_denom < 8 &&
               std::min(width(), height()) >= shorter_side * 2 * info_.scale_denom)
            info_.scale_denom *= 2;
        if (info_.num_components >= 3) info_.out_color_space = info_.num_components == 4 ? JCS_CMYK : JCS_RGB;
        call([&] { jpeg_start_decompress(&info_); });
        const bool cmyk = info_.output_components == 4;
        const std::int64_t columns = info_.output_width, channels = cmyk ? 3 : info_.output_components;
        const Tensor pixels = Tensor::empty({info_.output_height, columns, channels}, DType::uint8, Device{});
        std::vector<std::uint8_t> inks(cmyk ? 4 * info_.output_width : 0);
        std::uint8_t* const first = pixels.data<std::uint8_t>();
        call([&] {
            while (info_.output_scanline < info_.output_height) {
                std::uint8_t* const row = first + info_.output_scanline * columns * channels;
                std::uint8_t* to = cmyk ? inks.data() : row;
                jpeg_read_scanlines(&info_, &to, 1);
                if (cmyk) cmyk_to_rgb(to, columns, row);
            }
            jpeg_finish_decompress(&info_);
        });
        return pixels;
    }

private:
    /// `f` must hold nothing that needs a destructor: an error jumps over it.
    template <class F>
    void call(const F& f) {
        if (setjmp(errors_.escape) == 0) {  // NOLINT(cert-err52-cpp)
            f();
            return;
        }
        if (errors_.truncated) throw FileError(fmt::format("{}: truncated JPEG image", name_));
        throw FileError(fmt::format("{}: corrupt JPEG image: {}", name_, errors_.message.data()));
    }

    std::string name_;
    Errors errors_{};
    jpeg_decompress_struct info_{};
};

}  // namespace

Decoded decode_jpeg(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options) {
    Reader reader(name);
    reader.read_header(content);
    check_size(name, reader.width(), reader.height(), options);
    const int orientation = reader.orientation();  // the end of the decompression forgets it
    return {.pixels = reader.read(options.shorter_side), .orientation = orientation};
}

}  // namespace radial::data
