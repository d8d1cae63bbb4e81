// Zhang et al., RBF-Softmax, ECCV 2020: Tables 1 to 7, Figures 1 and 3 to 5.
#include "radial/apps/sweep/sweep_tables.h"

#include "radial/core/util/error.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>

namespace radial::train {
namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

Options rbf(double gamma, double scale) {
    return {
        {"loss", "rbf-softmax"}, {"loss.gamma", fmt::format("{}", gamma)}, {"loss.scale", fmt::format("{}", scale)}};
}

Options with_dim(Options options, const std::string& dim) {
    options.emplace_back("dim", dim);
    return options;
}

/// A run of a loss, with the name that its row has in the paper's table.
PaperRun loss_run(const std::string& recipe, const std::string& loss, std::string row, std::string paper) {
    return {.name = loss,
            .row = std::move(row),
            .column = "",
            .recipe = recipe,
            .options = {{"loss", loss}},
            .paper = std::move(paper)};
}

PaperRun rbf_run(const std::string& recipe, double gamma, double scale, std::string paper) {
    return {.name = fmt::format("rbf-softmax-gamma{}-s{}", gamma, scale),
            .row = fmt::format("RBF-Softmax (γ {}, s {})", gamma, scale),
            .column = "",
            .recipe = recipe,
            .options = rbf(gamma, scale),
            .paper = std::move(paper)};
}

/// Puts `runs` into the column `name` of a table with several columns.
std::vector<PaperRun> in_column(const std::string& name, const std::string& slug, std::vector<PaperRun> runs) {
    for (PaperRun& run : runs) {
        run.column = name;
        run.name = slug + "-" + run.name;
    }
    return runs;
}

void append(std::vector<PaperRun>& to, const std::vector<PaperRun>& runs) {
    to.insert(to.end(), runs.begin(), runs.end());
}

PaperTable figure_1() {
    PaperTable table{.id = "fig1",
                     .title = "Fig. 1: two-dimensional features of MNIST with several losses",
                     .program = "radial-mnist",
                     .result = SweepResult::scatter,
                     .runs = {}};
    // The paper shows pictures but gives no accuracies.
    for (const auto& [loss, row] : {std::pair{"softmax", "Softmax"},
                                    {"center", "Center loss"},
                                    {"ring", "Ring loss"},
                                    {"arcface", "ArcFace"},
                                    {"lgm", "LGM"},
                                    {"rbf-softmax", "RBF-Softmax"}})
        table.runs.push_back(loss_run("fig1", loss, row, "–"));
    return table;
}

PaperTable table_1() {
    PaperTable table{
        .id = "tab1",
        .title = "Table 1: distances to the prototype of the true class early in training, softmax on MNIST",
        .program = "radial-mnist",
        .result = SweepResult::distances,
        .runs = {}};
    for (const PaperDistances& row : paper_table_1())
        table.runs.push_back({.name = row.dim + "d",
                              .row = row.dim + "-D",
                              .column = "",
                              .recipe = "tab1",
                              .options = {{"loss", "softmax"}, {"dim", row.dim}},
                              .paper = "–"});
    return table;
}

PaperTable table_2() {
    PaperTable table{.id = "tab2",
                     .title = "Table 2 and Fig. 4: prototypes of CIFAR-100's classes beside WordNet",
                     .program = "radial-cifar100",
                     .result = SweepResult::prototypes,
                     .runs = {}};
    // The paper gives no accuracies.
    for (const auto& [loss, row] :
         {std::pair{"softmax", "Softmax"}, {"cos-softmax", "Cos-Softmax"}, {"rbf-softmax", "RBF-Softmax"}})
        table.runs.push_back(loss_run("tab2-resnet50", loss, row, "–"));
    return table;
}

PaperTable figure_3() {
    return {.id = "fig3",
            .title = "Fig. 3: kernel and probability over distance, by γ and s",
            .program = "radial-mnist",
            .result = SweepResult::curves,
            .runs = {}};
}

PaperTable table_3() {
    PaperTable table{.id = "tab3",
                     .title = "Table 3: RBF-Softmax on MNIST by s, γ and feature dimension",
                     .program = "radial-mnist",
                     .column_title = "features",
                     .runs = {}};
    struct Row {
        double gamma, scale;
        std::vector<std::string> paper;  ///< accuracies in 2, 10 and 32 dimensions
    };
    // The paper lists the first row twice, once in the series for s and once in that for γ.
    const std::vector<Row> rows = {{1, 2, {"99.20%", "99.68%", "99.71%"}},
                                   {1, 4, {"99.29%", "99.65%", "99.69%"}},
                                   {1, 8, {"99.25%", "99.56%", "99.61%"}},
                                   {1.3, 2, {"99.15%", "99.54%", "99.65%"}},
                                   {2, 2, {"99.03%", "99.36%", "99.42%"}}};
    const std::vector<std::string> dims = {"2", "10", "32"};
    for (std::size_t d = 0; d < dims.size(); ++d) {
        std::vector<PaperRun> column;
        for (const Row& row : rows) {
            column.push_back(rbf_run("tab3", row.gamma, row.scale, row.paper[d]));
            column.back().options = with_dim(column.back().options, dims[d]);
        }
        append(table.runs, in_column(dims[d] + "-D", dims[d] + "d", column));
    }
    return table;
}

PaperTable table_4() {
    return {
        .id = "tab4",
        .title = "Table 4: seven losses on MNIST, 32-D",
        .program = "radial-mnist",
        .runs = {loss_run("tab4", "softmax", "Softmax", "99.27%"),
                 loss_run("tab4", "rbf-network", "RBF network", "97.28%"),
                 loss_run("tab4", "center", "Center loss", "99.65%"), loss_run("tab4", "ring", "Ring loss", "99.58%"),
                 loss_run("tab4", "arcface", "ArcFace", "99.59%"), loss_run("tab4", "lgm", "LGM", "99.39%"),
                 loss_run("tab4", "rbf-softmax", "RBF-Softmax", "99.73%")}};
}

PaperTable figure_5() {
    PaperTable table{.id = "fig5",
                     .title = "Fig. 5: two-dimensional features of MNIST with RBF-Softmax by s",
                     .program = "radial-mnist",
                     .result = SweepResult::scatter,
                     .runs = {}};
    for (const auto& [scale, paper] : {std::pair{2.0, "99.20%"}, {4.0, "99.29%"}, {8.0, "99.25%"}})
        table.runs.push_back(rbf_run("fig5", 1, scale, paper));
    return table;
}

PaperTable table_5() {
    PaperTable table{.id = "tab5",
                     .title = "Table 5: ResNet-20 and DenseNet-BC (k 12) on CIFAR-10",
                     .program = "radial-cifar10",
                     .column_title = "network",
                     .runs = {}};
    const auto rows = [](const std::string& recipe, const std::vector<std::string>& paper) {
        return std::vector<PaperRun>{loss_run(recipe, "softmax", "Softmax", paper[0]),
                                     loss_run(recipe, "g-cpl", "G-CPL", paper[1]),
                                     loss_run(recipe, "center", "Center loss", paper[2]),
                                     rbf_run(recipe, 2, 3, paper[3]),
                                     rbf_run(recipe, 2, 4, paper[4]),
                                     rbf_run(recipe, 1.8, 4, paper[5]),
                                     rbf_run(recipe, 1.6, 4, paper[6])};
    };
    append(table.runs,
           in_column("ResNet-20", "resnet20",
                     rows("tab5-resnet20", {"91.25%", "91.63%", "91.85%", "92.26%", "92.42%", "92.61%", "92.77%"})));
    append(table.runs,
           in_column("DenseNet-BC", "densenet",
                     rows("tab5-densenet", {"95.49%", "–", "95.77%", "95.83%", "95.95%", "96.13%", "96.11%"})));
    return table;
}

PaperTable table_6() {
    return {.id = "tab6",
            .title = "Table 6: VGG-19 on CIFAR-100",
            .program = "radial-cifar100",
            .runs = {loss_run("tab6-vgg19", "softmax", "Softmax", "72.23%"),
                     loss_run("tab6-vgg19", "center", "Center loss", "73.02%"),
                     loss_run("tab6-vgg19", "g-cpl", "G-CPL", "72.88%"),
                     rbf_run("tab6-vgg19", 2.2, 10, "72.72% ± 0.03"), rbf_run("tab6-vgg19", 2.2, 14, "73.98% ± 0.02"),
                     rbf_run("tab6-vgg19", 1, 12, "72.62% ± 0.05"), rbf_run("tab6-vgg19", 4, 12, "71.77% ± 0.04")}};
}

PaperTable table_7() {
    PaperTable table{.id = "tab7",
                     .title = "Table 7: ImageNet",
                     .program = "radial-imagenet",
                     .column_title = "network",
                     .runs = {}};
    const auto network = [&](const std::string& slug, const std::string& name, double gamma, double scale,
                             const std::string& softmax, const std::string& with_rbf) {
        const std::string recipe = "tab7-" + slug;
        append(table.runs,
               in_column(name, slug,
                         {loss_run(recipe, "softmax", "Softmax", softmax), rbf_run(recipe, gamma, scale, with_rbf)}));
    };
    network("resnet50", "ResNet-50", 4, 8, "76.8%", "77.1%");
    network("efficientnet-b0", "EfficientNet-B0", 16, 35, "75.1%", "75.3%");
    network("efficientnet-b1", "EfficientNet-B1", 16, 35, "75.9%", "76.6%");
    network("efficientnet-b4", "EfficientNet-B4", 16, 35, "78.8%", "79.0%");
    return table;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream(text + separator);
    for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
    return parts;
}

/// `text` with hyphens instead of characters that do not belong in a folder's name.
std::string as_folder(std::string text) {
    for (char& c : text)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-' && c != '_') c = '-';
    return text;
}

}  // namespace

PaperTable grid_of(const std::string& program, const std::vector<std::string>& vary) {
    PaperTable table{.id = "", .title = "Sweep of " + program, .program = program, .runs = {}};
    table.runs.push_back({.name = "", .row = "", .column = "", .recipe = "", .options = {}, .paper = ""});
    std::set<std::string> names;
    for (const std::string& each : vary) {
        const std::size_t equals = each.find('=');
        const std::vector<std::string> values =
            equals == std::string::npos ? std::vector<std::string>{} : split(each.substr(equals + 1), ',');
        const std::string option = each.substr(0, equals);
        RADIAL_CHECK(equals != 0 && each.front() != '-' && !values.empty() &&
                         std::ranges::none_of(values, [](const std::string& value) { return value.empty(); }),
                     "--vary: '{}' is not NAME=VALUE,VALUE, as lr=0.1,0.05", each);
        RADIAL_CHECK(names.insert(option).second, "--vary: {} is given twice", option);
        std::vector<PaperRun> runs;
        for (const PaperRun& run : table.runs) {
            for (const std::string& value : values) {
                PaperRun& longer = runs.emplace_back(run);
                longer.options.emplace_back(option, value);
                longer.row += (run.row.empty() ? "" : ", ") + fmt::format("{} {}", option, value);
                longer.name += (run.name.empty() ? "" : "_") + as_folder(fmt::format("{}-{}", option, value));
            }
        }
        table.runs = std::move(runs);
    }
    std::set<std::string> folders;
    for (const PaperRun& run : table.runs)
        RADIAL_CHECK(folders.insert(run.name).second, "--vary: two runs would have the folder '{}'", run.name);
    if (vary.empty()) table.runs.front().name = table.runs.front().row = "defaults";
    return table;
}

bool is_grid(const PaperTable& table) { return table.id.empty(); }

const std::vector<PaperTable>& paper_tables() {
    static const std::vector<PaperTable> tables = {figure_1(), table_1(),  table_2(), figure_3(), table_3(),
                                                   table_4(),  figure_5(), table_5(), table_6(),  table_7()};
    return tables;
}

const std::vector<PaperPrototypes>& paper_table_2() {
    static const std::vector<PaperPrototypes> rows = {{"softmax", "0.17 ± 0.05", "2.81 ± 0.21"},
                                                      {"cos-softmax", "0.09 ± 0.04", "1.68 ± 0.10"},
                                                      {"rbf-softmax", "0.36 ± 0.11", "7.33 ± 0.25"}};
    return rows;
}

const std::vector<PaperDistances>& paper_table_1() {
    static const std::vector<PaperDistances> rows = {{"2", "0.01", "59.52", "6.59", "146.65"},
                                                     {"32", "8.08", "206.17", "54.27", "1186.8"},
                                                     {"128", "15.72", "271.18", "69.97", "2284.84"}};
    return rows;
}

}  // namespace radial::train
