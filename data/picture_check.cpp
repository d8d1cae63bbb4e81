// Threads that decode one file after another.
#include "radial/data/picture_check.h"

#include "radial/core/util/error.h"
#include "radial/data/image.h"

#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace radial::data {
namespace {

std::string problem_with(const std::filesystem::path& file) {
    try {
        read_image(file);
        return {};
    } catch (const FileError& error) {
        return error.what();
    }
}

}  // namespace

void check_pictures(std::span<const std::filesystem::path> files, int threads,
                    const std::function<void(const CheckedPicture&)>& checked) {
    RADIAL_CHECK(threads >= 1, "check_pictures: {} threads, expected at least 1", threads);
    std::mutex mutex;
    std::size_t next = 0;  // guarded, as the error
    std::exception_ptr failed;
    const auto work = [&] {
        std::unique_lock lock(mutex);
        while (next < files.size() && failed == nullptr) {
            CheckedPicture picture{.number = next++, .problem = {}};
            lock.unlock();
            std::exception_ptr error;
            try {
                picture.problem = problem_with(files[picture.number]);
            } catch (...) {  // no memory, say
                error = std::current_exception();
            }
            lock.lock();
            try {
                if (error == nullptr) checked(picture);
            } catch (...) {
                error = std::current_exception();
            }
            if (error != nullptr && failed == nullptr) failed = error;
        }
    };
    {
        std::vector<std::jthread> workers;
        for (int i = 0; i < threads; ++i) workers.emplace_back(work);
    }
    if (failed != nullptr) std::rethrow_exception(failed);
}

}  // namespace radial::data
