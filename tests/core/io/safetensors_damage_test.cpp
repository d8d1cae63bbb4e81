// Reads damaged safetensors files: each must be read or rejected; none may crash the reader.
#include "../../catch.h"
#include "../../data/scratch.h"

#include "radial/core/io/safetensors.h"
#include "radial/core/tensor/random.h"

#include <string>

using namespace radial;
using radial::test::content_of;
using radial::test::Scratch;

namespace {

std::string whole_file() {
    const Scratch scratch;
    write_safetensors(scratch.path() / "a", {{{"weight", Tensor::zeros({2, 3})},
                                              {"labels", Tensor::zeros({4}, DType::int64)},
                                              {"none", Tensor::zeros({0, 2}, DType::uint8)}},
                                             {{"epoch", "3"}}});
    return content_of(scratch.path() / "a");
}

std::size_t place_in(const std::string& bytes, Generator& generator) { return generator.below(bytes.size() + 1); }

void flip_bits(std::string& bytes, Generator& generator) {
    for (auto flips = 1 + generator.below(4); flips > 0 && !bytes.empty(); --flips) {
        char& byte = bytes[generator.below(bytes.size())];
        byte = static_cast<char>(static_cast<unsigned char>(byte) ^ 1U << generator.below(8));
    }
}

/// Copies, moves or deletes a sequence of bytes.
void splice(std::string& bytes, Generator& generator) {
    const std::size_t from = place_in(bytes, generator);
    const std::string run = bytes.substr(from, generator.below(20));
    if (generator.below(2) == 0) bytes.erase(from, run.size());
    if (generator.below(3) != 0) bytes.insert(place_in(bytes, generator), run);
}

/// Replaces one digit, which may change a length, a shape or an offset but usually leaves the JSON valid.
void change_digit(std::string& bytes, Generator& generator) {
    const std::size_t at = bytes.find_first_of("0123456789", place_in(bytes, generator));
    if (at != std::string::npos) bytes[at] = static_cast<char>('0' + generator.below(10));
}

std::string mutated(std::string bytes, Generator& generator) {
    switch (generator.below(4)) {
        case 0:
            flip_bits(bytes, generator);
            break;
        case 1:
            bytes.resize(place_in(bytes, generator));
            break;
        case 2:
            splice(bytes, generator);
            break;
        default:
            change_digit(bytes, generator);
    }
    return bytes;
}

/// Whether the file was read without a FileError. Other exceptions are not caught.
bool parses(const std::filesystem::path& path) {
    try {
        for (const NamedTensor& entry : read_safetensors(path).tensors)
            static_cast<void>(entry.tensor.to_vector<double>());
        return true;
    } catch (const FileError&) {
        return false;
    }
}

}  // namespace

TEST_CASE("A damaged safetensors file parses or is refused, whatever the damage", "[host]") {
    const Scratch scratch;
    const std::string whole = whole_file();
    Generator generator(2026);
    int refused = 0;
    constexpr int cases = 2000;
    for (int i = 0; i < cases; ++i) {
        const std::string bytes = mutated(generator.below(3) == 0 ? mutated(whole, generator) : whole, generator);
        const auto path = scratch.write("a", bytes);
        CAPTURE(i, bytes);
        bool accepted = false;
        REQUIRE_NOTHROW(accepted = parses(path));
        refused += accepted ? 0 : 1;
    }
    // A file whose damage is only in the tensors' data is still valid; most damaged files are not.
    CHECK(refused > cases / 2);
    CHECK(refused < cases);
}
