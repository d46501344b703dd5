// street, street_address, city, state, zip, country.
#include <fmt/format.h>

#include <iterator>

#include "rules/transforms/fake/text_fake.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

void street(Draw& draw, const Locale& locale, std::string& out) { out += locale.streets.one(draw); }

void street_address(Draw& draw, const Locale& locale, std::string& out) {
    const std::uint64_t number = 1 + draw.below(199);
    if (locale.number_first) fmt::format_to(std::back_inserter(out), "{} ", number);
    street(draw, locale, out);
    if (!locale.number_first) fmt::format_to(std::back_inserter(out), " {}", number);
}

void city(Draw& draw, const Locale& locale, std::string& out) { out += locale.cities.one(draw); }
void state(Draw& draw, const Locale& locale, std::string& out) { out += locale.states.one(draw); }
void state_code(Draw& draw, const Locale& locale, std::string& out) { out += locale.state_codes.one(draw); }
void country(Draw& draw, const Locale& locale, std::string& out) { out += locale.countries.one(draw); }
// Five digits in each of our locales.
void zip(Draw& draw, const Locale& /*locale*/, std::string& out) { draw.append_digits(out, 5); }

}  // namespace

std::unique_ptr<Transform> make_street(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("street", street, parameters, defaults);
}
std::unique_ptr<Transform> make_street_address(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("street_address", street_address, parameters, defaults);
}
std::unique_ptr<Transform> make_city(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("city", city, parameters, defaults);
}
// A value's state and its code are of the same place.
std::unique_ptr<Transform> make_state(Fields& parameters, const TransformDefaults& defaults) {
    if (parameters.flag("short", false)) return make_text_fake("state", state_code, parameters, defaults, ", short");
    return make_text_fake("state", state, parameters, defaults);
}
std::unique_ptr<Transform> make_zip(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("zip", zip, parameters, defaults);
}
std::unique_ptr<Transform> make_country(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("country", country, parameters, defaults);
}

}  // namespace pgsluice::rules
