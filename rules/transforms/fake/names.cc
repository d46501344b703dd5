// title, first_name, last_name, name: of people, by `gender` where it is given.
#include <fmt/format.h>

#include "rules/transforms/fake/names.h"
#include "rules/transforms/fake/text_fake.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

void female_first_name(Draw& draw, const Locale& locale, std::string& out) {
    out += locale.first_names_female.one(draw);
}
void male_first_name(Draw& draw, const Locale& locale, std::string& out) { out += locale.first_names_male.one(draw); }
void last_name(Draw& draw, const Locale& locale, std::string& out) { out += locale.last_names.one(draw); }
void title(Draw& draw, const Locale& locale, std::string& out) { out += locale.titles.one(draw); }

template <TextFake first>
void with_last_name(Draw& draw, const Locale& locale, std::string& out) {
    first(draw, locale, out);
    out += ' ';
    last_name(draw, locale, out);
}

struct ByGender {
    TextFake any, female, male;
};

std::unique_ptr<Transform> make_by_gender(std::string_view name, const ByGender& fakes, Fields& parameters,
                                          const TransformDefaults& defaults) {
    const std::string gender = parameters.text("gender").value_or("any");
    if (gender == "any") return make_text_fake(name, fakes.any, parameters, defaults);
    if (gender == "female") return make_text_fake(name, fakes.female, parameters, defaults, ", female");
    if (gender == "male") return make_text_fake(name, fakes.male, parameters, defaults, ", male");
    throw refuse(parameters.place(), fmt::format("unknown gender '{}'", gender), "Known: female, male, any.");
}

}  // namespace

// Every name of both lists is as likely.
void any_first_name(Draw& draw, const Locale& locale, std::string& out) {
    const auto& female = locale.first_names_female.all();
    const auto& male = locale.first_names_male.all();
    const std::size_t drawn = draw.below(female.size() + male.size());
    out += drawn < female.size() ? female[drawn] : male[drawn - female.size()];
}

std::unique_ptr<Transform> make_first_name(Fields& parameters, const TransformDefaults& defaults) {
    return make_by_gender("first_name", {any_first_name, female_first_name, male_first_name}, parameters, defaults);
}
std::unique_ptr<Transform> make_title(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("title", title, parameters, defaults);
}
std::unique_ptr<Transform> make_last_name(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("last_name", last_name, parameters, defaults);
}
std::unique_ptr<Transform> make_name(Fields& parameters, const TransformDefaults& defaults) {
    return make_by_gender(
        "name", {with_last_name<any_first_name>, with_last_name<female_first_name>, with_last_name<male_first_name>},
        parameters, defaults);
}

}  // namespace pgsluice::rules
