// Fuzz target: any bytes, read as a --config of `train`, give options or an error that the command line reports.
#include "radial/apps/common/command_line.h"
#include "radial/apps/common/json_config.h"
#include "radial/apps/common/train_options.h"

#include "memory_file.h"

namespace radial::fuzz {

void config(Bytes bytes) {
    const MemoryFile file(bytes);
    CLI::App app("train");
    app.set_config("--config");
    app.config_formatter(std::make_shared<apps::JsonConfig>(app));
    apps::TrainOptions options;
    apps::add_train_options(app, options);
    const auto parse = [&] { app.parse(std::vector<std::string>{file.path().string(), "--config"}); };
    bool read = false;
    tolerate<Error>([&] {
        tolerate<CLI::ParseError>([&] {
            parse();
            read = true;
        });
    });
    if (!read) return;
    apps::resolved_options(app);
    tolerate<Error>([&] { apps::make_schedule(options); });
    tolerate<Error>([&] { apps::make_transforms(options.augmentation); });
}

}  // namespace radial::fuzz
