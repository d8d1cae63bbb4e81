// Fuzz target: reads any bytes as a config file of `train`. The result must be options or an error of the command line.
#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/json_config.h"
#include "radial/apps/cli/shared_flags.h"

#include "memory_file.h"

namespace radial::fuzz {
namespace {

/// Created only once, because adding hundreds of options takes longer than reading a file.
class Parser {
public:
    Parser() {
        app_.set_config("--config");
        app_.config_formatter(std::make_shared<train::JsonConfig>(app_));
        train::add_train_options(app_, options_);
    }
    /// The options of a config file. Throws the errors of the command line's parser.
    const train::TrainOptions& parse(const std::string& file) {
        options_ = {};
        app_.parse(std::vector<std::string>{file, "--config"});
        return options_;
    }
    const CLI::App& app() const { return app_; }

private:
    CLI::App app_{"train"};
    train::TrainOptions options_;
};

}  // namespace

void config(Bytes bytes) {
    static Parser parser;
    const MemoryFile file(bytes);
    tolerate<Error>([&] {
        tolerate<CLI::ParseError>([&] {
            const train::TrainOptions& options = parser.parse(file.path().string());
            train::resolved_options(parser.app());
            tolerate<Error>([&] { train::make_schedule(options); });
            tolerate<Error>([&] { train::make_transforms(options.augmentation); });
        });
    });
}

}  // namespace radial::fuzz
