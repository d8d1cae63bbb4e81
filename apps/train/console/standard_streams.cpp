// Guarding descriptors 0, 1 and 2, and keeping the first error of standard output.
#include "radial/apps/train/console/standard_streams.h"

#include "radial/apps/train/console/safe_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace radial::train {
namespace {

int first_error = 0;  // stdio remembers that there was one, not which

void note_error() {
    if (first_error == 0) first_error = errno != 0 ? errno : EIO;
}

}  // namespace

void open_standard_streams() {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
        // The lowest free number is this stream's, since those below it are open.
        if (open("/dev/null", O_RDONLY) != stream) _exit(1);
    }
}

void print_error(std::string_view text) {
    const std::string visible = shown_lines(text);
    std::fwrite(visible.data(), 1, visible.size(), stderr);
    std::fflush(stderr);
}

void print_on(std::string_view text) {
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) note_error();
}

std::error_code output_error() {
    errno = 0;
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) note_error();
    return {first_error, std::generic_category()};
}

void check_output() {
    if (const std::error_code error = output_error()) throw std::system_error(error);
}

}  // namespace radial::train
