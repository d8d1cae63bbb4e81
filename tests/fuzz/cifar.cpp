// libFuzzer target: any bytes, read as CIFAR's archive or as one of its files, give images or a FileError.
//
// clang++ -fsanitize=fuzzer,address,undefined; a good first corpus is a plain tar of a few records and class names.
#include "radial/core/error.h"
#include "radial/data/cifar.h"
#include "radial/data/tar.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

template <class F>
void tolerate(F&& f) {
    try {
        f();
    } catch (const radial::FileError&) {
    }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    const int file = memfd_create("input.tar", MFD_CLOEXEC);
    if (file < 0 || write(file, bytes, count) != static_cast<ssize_t>(count)) std::abort();
    const std::string path = "/proc/self/fd/" + std::to_string(file);
    tolerate([&] {
        radial::data::TarReader reader(path);
        for (bool odd = false; reader.next(); odd = !odd)
            if (odd) reader.read();
    });
    tolerate([&] { radial::data::read_cifar10(path, false); });
    tolerate([&] { radial::data::read_cifar100(path, true); });
    close(file);
    return 0;
}
