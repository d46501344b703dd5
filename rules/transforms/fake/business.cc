// company, industry, job_title, product, product_description.
#include <fmt/format.h>

#include <iterator>

#include "rules/transforms/fake/prose.h"
#include "rules/transforms/fake/text_fake.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

void company(Draw& draw, const Locale& locale, std::string& out) {
    out += locale.companies.one(draw);
    out += ' ';
    out += locale.company_endings.one(draw);
}

void industry(Draw& draw, const Locale& locale, std::string& out) { out += locale.industries.one(draw); }
void job_title(Draw& draw, const Locale& locale, std::string& out) { out += locale.job_titles.one(draw); }

// "Desk Lamp Alder 40"
void product(Draw& draw, const Locale& locale, std::string& out) {
    out += locale.products.one(draw);
    out += ' ';
    out += locale.companies.one(draw);
    fmt::format_to(std::back_inserter(out), " {}", 10 * (1 + draw.below(99)));
}

void product_description(Draw& draw, const Locale& locale, std::string& out) {
    product(draw, locale, out);
    out += ". ";
    sentence(draw, locale, out);
}

}  // namespace

std::unique_ptr<Transform> make_company(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("company", company, parameters, defaults);
}
std::unique_ptr<Transform> make_industry(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("industry", industry, parameters, defaults);
}
std::unique_ptr<Transform> make_job_title(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("job_title", job_title, parameters, defaults);
}
std::unique_ptr<Transform> make_product(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("product", product, parameters, defaults);
}
std::unique_ptr<Transform> make_product_description(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("product_description", product_description, parameters, defaults);
}

}  // namespace pgsluice::rules
