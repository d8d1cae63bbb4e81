// Selects the device and reads the data at the start of a command.
#include "radial/apps/cli/image_task.h"

#include "radial/apps/train/console/safe_text.h"
#include "radial/core/backend/backend.h"
#include "radial/core/util/error.h"

namespace radial::train {

Device start_device(const std::string& device, int threads, Precision precision) {
    const Device parsed = Device::parse(device);
    set_num_threads(threads);
    print_on(describe_device(parsed) + "\n");
    use_precision(precision, parsed);
    const bool slow = precision == Precision::bf16 && !backend_for(parsed, DType::bfloat16).has_hardware_multiply();
    print_on(fmt::format("precision: {}{}\n", name_of(precision),
                         slow ? " (this processor does not multiply bfloat16; --precision float32 is faster)" : ""));
    return parsed;
}

std::int64_t outputs_of(const data::Dataset& set) {
    if (set.classes() > 0) return set.classes();
    const Tensor target = set.get(0).target;
    RADIAL_CHECK(target.rank() > 0 || target.dtype() != DType::int64,
                 "the data set does not say how many classes it has (class_names)");
    return target.numel();
}

void with_memory_advice(std::int64_t batch, const std::function<void()>& work) {
    try {
        work();
    } catch (const OutOfMemory& error) {
        throw OutOfMemory(fmt::format("{}: lower --batch, which is {}", error.what(), batch));
    }
}

std::shared_ptr<data::Dataset> read_set(const ImageTask& task, const std::filesystem::path& folder, bool train) {
    if (folder.empty() && !task.needs_folder) return task.read(folder, train);
    if (folder.empty() && task.set.empty())
        throw FileError(fmt::format("no data folder: give --data DIR. {}", task.where_to_get));
    if (folder.empty()) {
        throw FileError(
            fmt::format("no data folder: give --data DIR, or set RADIAL_DATA to a folder that holds {}/. {}", task.set,
                        task.where_to_get));
    }
    if (!std::filesystem::exists(folder))
        throw FileError(fmt::format("{}: no such data folder. {}", folder.string(), task.where_to_get));
    return task.read(folder, train);
}

}  // namespace radial::train
