// The list of all losses and regularisers, and the functions that build them by name. To add a loss or a regulariser,
// include its header in losses.h and add a line here.
#include "radial/core/util/error.h"
#include "radial/core/util/text.h"
#include "radial/losses/losses.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace radial {

namespace {

// One entry per line.
// clang-format off
Registry<LossInfo>& losses() {
    static Registry<LossInfo> registry("loss", "losses", {
        Softmax::info(),
        RbfSoftmax::info(),
        RbfNetwork::info(),
        Center::loss_info(),
        Ring::loss_info(),
        ArcFace::info(),
        Lgm::info(),
        Cpl::info(),
        Cpl::generalised_info(),
        CosSoftmax::info(),
        NormFace::info(),
        CosFace::info(),
        SphereFace::info(),
        GSoftmax::info(),
        Focal::info(),
        AdaCos::info(),
        CurricularFace::info(),
        MagFace::info(),
        SubcenterArcFace::info(),
        ProxyNca::info(),
        SoftTriple::info(),
        Contrastive::info(),
        Triplet::info(),
        SupervisedContrastive::info(),
        MultiSimilarity::info(),
        Circle::info(),
        ProxyAnchor::info(),
        Range::loss_info(),
    });
    return registry;
}

Registry<RegulariserInfo>& regularisers() {
    static Registry<RegulariserInfo> registry("regulariser", "regularisers", {
        Center::info(),
        Ring::info(),
        Compact::info(),
        Exclusive::info(),
        Range::info(),
    });
    return registry;
}
// clang-format on

template <class Info>
void check_entry(const Info& info, std::string_view what) {
    RADIAL_CHECK(info.make != nullptr, "the {} \"{}\" has no function that makes it", what, info.name);
    RADIAL_CHECK(losses().find(info.name) == nullptr && regularisers().find(info.name) == nullptr,
                 "there is a loss or regulariser called \"{}\" already", info.name);
}

/// A term of a sum and its registry entry: exactly one of the two pointers is set.
struct Term {
    double weight;
    const LossInfo* loss;
    const RegulariserInfo* regulariser;

    const std::string& name() const { return loss != nullptr ? loss->name : regulariser->name; }
    const std::vector<OptionInfo>& options() const { return loss != nullptr ? loss->options : regulariser->options; }
};

Term further_term(const ExpressionTerm& read) {
    Term term{read.weight, nullptr, regularisers().find(read.name)};
    if (term.regulariser == nullptr) term.loss = losses().find(read.name);
    if (term.regulariser != nullptr || term.loss != nullptr) return term;
    const std::vector<std::string> terms = regularisers().names(), heads = losses().names();
    std::vector<std::string> all = terms;
    all.insert(all.end(), heads.begin(), heads.end());
    throw Error(fmt::format(
        "no regulariser or loss is called \"{}\"; did you mean {}? The regularisers are {}; the losses are {}",
        read.name, nearest(read.name, all), terms.empty() ? "none" : fmt::format("{}", fmt::join(terms, ", ")),
        fmt::join(heads, ", ")));
}

std::vector<Term> terms_of(std::string_view expression) {
    std::vector<Term> terms;
    for (const ExpressionTerm& read : parse_expression(expression))
        terms.push_back(terms.empty() ? Term{1, &find_loss(read.name), nullptr} : further_term(read));
    return terms;
}

void check_known(std::string_view expression, const std::vector<Term>& terms, const LossSettings& settings) {
    std::set<std::string> plain, full;
    for (const Term& term : terms) {
        for (const OptionInfo& option : term.options()) {
            plain.insert(option.name);
            full.insert(term.name() + "." + option.name);
        }
    }
    std::vector<std::string> choices(plain.begin(), plain.end());
    const std::set<std::string>& shown = terms.size() == 1 ? plain : full;
    choices.insert(choices.end(), full.begin(), full.end());
    for (const auto& [option, value] : settings) {
        if (plain.contains(option) || full.contains(option)) continue;
        RADIAL_CHECK(!choices.empty(), "{} has no option \"{}\", nor any other", expression, option);
        throw Error(fmt::format("{} has no option \"{}\"; did you mean {}? Its options are {}", expression, option,
                                nearest(option, choices), fmt::join(shown, ", ")));
    }
}

/// The defaults of a term, overridden by `settings`, where "ring.radius" takes precedence over "radius".
LossSettings settings_of(const Term& term, const LossSettings& settings) {
    LossSettings complete;
    for (const OptionInfo& option : term.options()) {
        auto given = settings.find(term.name() + "." + option.name);
        if (given == settings.end()) given = settings.find(option.name);
        const OptionValue& value = given == settings.end() ? option.value : given->second;
        complete.emplace(option.name, convert(term.name(), option, value));
    }
    return complete;
}

}  // namespace

const Registry<LossInfo>& loss_registry() { return losses(); }
const Registry<RegulariserInfo>& regulariser_registry() { return regularisers(); }

void register_loss(LossInfo info) {
    check_entry(info, "loss");
    losses().add(std::move(info));
}
void register_regulariser(RegulariserInfo info) {
    check_entry(info, "regulariser");
    regularisers().add(std::move(info));
}
void unregister_loss(std::string_view name) { losses().remove(name); }
void unregister_regulariser(std::string_view name) { regularisers().remove(name); }

const LossInfo& find_loss(std::string_view name) {
    RADIAL_CHECK(losses().find(name) != nullptr || regularisers().find(name) == nullptr,
                 "{} is a regulariser, which cannot predict: put it behind a loss, as \"softmax + 0.01 * {}\"", name,
                 name);
    return losses().at(name);
}

std::unique_ptr<Loss> make_loss(std::string_view expression, std::int64_t classes, std::int64_t dim,
                                const LossSettings& settings) {
    const std::vector<Term> terms = terms_of(expression);
    check_known(expression, terms, settings);
    std::unique_ptr<Loss> loss;
    for (const Term& term : terms) {
        const LossSettings own = settings_of(term, settings);
        if (loss == nullptr)
            loss = term.loss->make(classes, dim, own);
        else if (term.regulariser != nullptr)
            loss = std::move(loss) + term.weight * term.regulariser->make(classes, dim, own);
        else
            loss = std::move(loss) + term.weight * term.loss->make(classes, dim, own);
    }
    return loss;
}

LossSettings loss_settings(std::string_view expression, const LossSettings& settings) {
    const std::vector<Term> terms = terms_of(expression);
    check_known(expression, terms, settings);
    if (terms.size() == 1) return settings_of(terms.front(), settings);
    LossSettings all;
    for (const Term& term : terms)
        for (const auto& [option, value] : settings_of(term, settings))
            all.insert_or_assign(term.name() + "." + option, value);
    return all;
}

}  // namespace radial
