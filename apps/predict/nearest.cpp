// The command `nearest`: the most similar pictures of a folder, as text and as a page.
#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/option_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/predict/commands.h"
#include "radial/apps/predict/embed.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/events/tensorboard.h"
#include "radial/apps/train/retrieval.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"
#include "radial/data/images/image.h"
#include "radial/data/images/view.h"

#include <CLI/CLI.hpp>

#include <memory>

namespace radial::predict {
namespace {

namespace fs = std::filesystem;
using train::FeatureDistance, train::Neighbour;

struct NearestOptions : InputOptions {
    fs::path index, page;
    std::int64_t top = 5;
    FeatureDistance distance = FeatureDistance::cosine;
};

/// The features to search: those in a file that `embed` has written, or those of the pictures in a folder.
Embeddings index_of(const NearestOptions& options, StartedNetwork& network) {
    if (fs::is_directory(options.index)) {
        InputOptions folder = options;
        folder.images = {options.index};
        return embed(folder, network);
    }
    return read_embeddings(options.index);
}

/// Throws Error when the features of the index and of the queries are not of the same network.
void check_same_network(const fs::path& path, const Embeddings& index, const Embeddings& queries) {
    RADIAL_CHECK(index.model == queries.model && index.weights == queries.weights,
                 "{}: features of {} with other weights than --weights; write it again with 'radial-predict embed'",
                 path.string(), index.model);
}

void print_neighbours(const fs::path& query, const Embeddings& index, const std::vector<Neighbour>& neighbours) {
    fmt::print("{}\n", train::shown(query.string()));
    for (std::size_t i = 0; i < neighbours.size(); ++i)
        fmt::print("{:>4}  {:.4f}  {}\n", i + 1, neighbours[i].distance,
                   train::shown(index.files[static_cast<std::size_t>(neighbours[i].index)].string()));
    train::check_output();
}

/// A picture with its caption. A file that can no longer be read is shown as text.
std::string figure(const fs::path& file, const std::string& caption) {
    constexpr std::int64_t side = 160;  // pixels
    std::string image;
    try {
        const Tensor pixels = data::evaluation_view(data::read_image(file), side, side);
        const train::PngPicture png = train::png_of(pixels, side);
        image = fmt::format("<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\">", train::data_uri(png.file),
                            png.width, png.height, train::escape_html(file.filename().string()));
    } catch (const FileError& error) {
        image = train::escape_html(error.what());
    }
    return fmt::format("<figure>{}<figcaption>{}</figcaption></figure>", image, train::escape_html(caption));
}

std::string page_of(const NearestOptions& options, const Embeddings& index, const Embeddings& queries,
                    const std::vector<std::vector<Neighbour>>& neighbours) {
    std::string body;
    for (std::size_t q = 0; q < queries.files.size(); ++q) {
        std::string row = figure(queries.files[q], "query");
        for (const Neighbour& neighbour : neighbours[q]) {
            const fs::path& file = index.files[static_cast<std::size_t>(neighbour.index)];
            row += figure(file, fmt::format("{:.4f} {}", neighbour.distance, file.string()));
        }
        body += train::html_section(queries.files[q].string(), "", "<div class=\"gallery\">" + row + "</div>");
    }
    return train::html_page(
        "Similar pictures",
        fmt::format("The {} nearest of {} pictures by {} distance of the features of {}", options.top,
                    index.files.size(), option_value(options.distance).str(), index.model),
        body);
}

void run_nearest(const NearestOptions& options) {
    RADIAL_CHECK(!options.index.empty(), "no index: give --index, a folder of pictures or a file of 'embed'");
    StartedNetwork network = start_network(options);
    const Embeddings queries = embed(options, network), index = index_of(options, network);
    check_same_network(options.index, index, queries);
    const auto neighbours = train::nearest_neighbours(queries.features, index.features, options.top, options.distance);
    for (std::size_t q = 0; q < neighbours.size(); ++q) print_neighbours(queries.files[q], index, neighbours[q]);
    if (options.page.empty()) return;
    write_file(options.page, page_of(options, index, queries, neighbours));
    fmt::print("page: {}\n", train::shown(options.page.string()));
}

}  // namespace

train::Command nearest_command() {
    return {"nearest", "Find the pictures of a folder that are most similar to others", [](CLI::App& app) {
                auto options = std::make_shared<NearestOptions>();
                add_input_flags(app, *options, "Queries: JPEG and PNG files, or folders of them");
                app.add_option("--index", options->index,
                               "Pictures to search: a folder, or a .safetensors file that 'embed' has written")
                    ->type_name("PATH");
                app.add_option("--top", options->top, "Number of pictures to find for each query")
                    ->capture_default_str()
                    ->check(train::within(1, 1000000));
                train::FlagAdder(app, app.get_help_ptr()->get_group())(
                    "distance", options->distance, "Distance of two features: euclidean, or cosine (1 - cosine)");
                app.add_option("--page", options->page, "Also write a page with the pictures to this file")
                    ->type_name("FILE");
                return [options] { train::with_memory_advice(options->batch, [&] { run_nearest(*options); }); };
            }};
}

}  // namespace radial::predict
