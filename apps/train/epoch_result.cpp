// The numbers of an epoch as JSON.
#include "radial/apps/train/epoch_result.h"

#include "radial/apps/train/run/json_numbers.h"

namespace radial::train {

nlohmann::ordered_json to_json(const EpochResult& result) {
    const auto or_null = [](const std::optional<double>& value) {
        return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
    };
    return {{"epoch", result.epoch},
            {"train_loss", result.train_loss},
            {"train_accuracy", result.train_accuracy},
            {"test_loss", result.test_loss},
            {"test_accuracy", result.test_accuracy},
            {"best_accuracy", result.best_accuracy},
            {"best_epoch", result.best_epoch},
            {"images_per_second", result.images_per_second},
            {"mean_kernel", or_null(result.mean_kernel)},
            {"initial_mean_kernel", or_null(result.initial_mean_kernel)},
            {"seconds", result.seconds},
            {"lr", result.lr},
            {"gradient_norm", result.gradient_norm},
            {"peak_bytes", result.peak_bytes},
            {"order", result.order}};
}

EpochResult epoch_result(const nlohmann::ordered_json& line) {
    const auto or_nothing = [&](const char* key) {
        return line.at(key).is_null() ? std::nullopt : std::optional<double>(line.at(key).get<double>());
    };
    return {.epoch = whole_number<std::int64_t>(line, "epoch"),
            .train_loss = real_number(line, "train_loss"),
            .train_accuracy = real_number(line, "train_accuracy"),
            .test_loss = real_number(line, "test_loss"),
            .test_accuracy = real_number(line, "test_accuracy"),
            .best_accuracy = real_number(line, "best_accuracy"),
            .best_epoch = whole_number<std::int64_t>(line, "best_epoch"),
            .mean_kernel = or_nothing("mean_kernel"),
            .initial_mean_kernel = or_nothing("initial_mean_kernel"),
            .images_per_second = real_number(line, "images_per_second"),
            .seconds = real_number(line, "seconds"),
            .lr = real_number(line, "lr"),
            .gradient_norm = real_number(line, "gradient_norm"),
            .peak_bytes = whole_number<std::size_t>(line, "peak_bytes"),
            .order = line.at("order")};
}

}  // namespace radial::train
