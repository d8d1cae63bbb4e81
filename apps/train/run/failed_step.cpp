// Writes the batch of a failed step as a safetensors file.
#include "radial/apps/train/run/failed_step.h"

#include "radial/core/io/safetensors.h"
#include "radial/core/util/error.h"

#include <cmath>

namespace radial::train {

std::filesystem::path save_failed_step(const std::filesystem::path& run, const FailedStep& failed) {
    const data::Batch& batch = failed.batch;
    TensorFile file;
    file.tensors = {{"images", batch.images},
                    {"labels", batch.labels},
                    {"indices", Tensor::from(batch.indices, {std::ssize(batch.indices)}, Device{})}};
    if (batch.other_labels.defined()) {
        file.tensors.push_back({"other_labels", batch.other_labels});
        file.tensors.push_back({"share", batch.share});
    }
    file.metadata = {{"step", fmt::format("{}", failed.number)},
                     {"epoch", fmt::format("{}", failed.epoch)},
                     {"step_of_epoch", fmt::format("{}", failed.step)},
                     {"lr", fmt::format("{}", failed.lr)},
                     {"loss", fmt::format("{}", std::isnan(failed.loss) ? std::abs(failed.loss) : failed.loss)},
                     {"reason", failed.reason}};
    const std::filesystem::path path = run / fmt::format("failed-step-{}.safetensors", failed.number);
    write_safetensors(path, file);
    return path;
}

}  // namespace radial::train
