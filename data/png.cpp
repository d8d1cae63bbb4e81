// PNG files, through libpng.
#include "radial/data/decoded.h"

#include <png.h>

#include <csetjmp>
#include <cstring>

namespace radial::data {
namespace {

/// One decompression. Whatever libpng is asked goes through call().
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
        call([&] {  // as png_read_image() does, which wants an array of all rows' addresses
            for (int pass = 0; pass < passes_; ++pass)
                for (std::int64_t y = 0; y < rows; ++y) png_read_row(png_, first + y * row_bytes, nullptr);
            png_read_end(png_, info_);
        });
        return pixels;
    }

    /// Known after read(), as it may stand behind the pixels.
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

    /// `f` must hold nothing that needs a destructor: an error jumps over it.
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
    int passes_ = 1;  ///< of an interlaced image, several over all rows
    bool truncated_ = false;
    std::array<char, 256> message_{};
};

}  // namespace

Decoded decode_png(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options) {
    Reader reader(content, name);
    reader.read_header();
    check_size(name, reader.width(), reader.height(), options);
    const Tensor pixels = reader.read();
    return {.pixels = pixels, .orientation = reader.orientation()};
}

}  // namespace radial::data
