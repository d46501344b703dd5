// ipv4, ipv6, mac, url, domain: none that is in use anywhere. Addresses are of the ranges for private use, hosts of the
// top-level domain .example, which is never given out (RFC 1918, 4193, 2606).
#include <fmt/format.h>

#include <iterator>

#include "rules/transforms/fake/text_fake.h"
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr Oid inet_oid = 869;
constexpr Oid macaddr_oid = 829;

// As PostgreSQL prints them.
void ipv4(Draw& draw, std::string& out) {
    out += "10";
    for (int i = 0; i < 3; ++i) fmt::format_to(std::back_inserter(out), ".{}", draw.below(256));
}
void ipv6(Draw& draw, std::string& out) {
    fmt::format_to(std::back_inserter(out), "fd{:02x}", draw.below(256));
    for (int group = 0; group < 7; ++group) fmt::format_to(std::back_inserter(out), ":{:x}", 1 + draw.below(65535));
}
void mac(Draw& draw, std::string& out) {
    out += "02";  // locally administered
    for (int byte = 0; byte < 5; ++byte) fmt::format_to(std::back_inserter(out), ":{:02x}", draw.below(256));
}

class Address : public Recipe {
   public:
    using MakeAddress = void (*)(Draw& draw, std::string& out);
    Address(std::string_view name, MakeAddress address, Oid type, std::size_t longest, bool unique)
        : name_(name), address_(address), type_(type), longest_(longest), unique_(unique) {}

    std::string unfit(const Column& column, ValueType type) const override {
        if (is_text(type) || ColumnForm::of(column, type).oid == type_) return {};
        return takes(type_ == inet_oid ? "text or inet" : "text or macaddr", column);
    }
    bool keeps_distinct() const override { return unique_; }
    std::size_t longest() const override { return longest_; }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& /*form*/, std::string& out) const override {
        address_(draw, out);
    }
    std::string describe() const override { return fmt::format("made-up {}", name_); }

   private:
    std::string_view name_;
    MakeAddress address_;
    Oid type_;
    std::size_t longest_;
    bool unique_;
};

void domain(Draw& draw, const Locale& locale, std::string& out) {
    append_plain(out, locale.companies.one(draw));
    out += '-';
    append_plain(out, locale.words.one(draw));
    out += ".example";
}

void url(Draw& draw, const Locale& locale, std::string& out) {
    out += "https://www.";
    domain(draw, locale, out);
    out += '/';
    append_plain(out, locale.words.one(draw));
}

std::unique_ptr<Transform> make_address(std::string_view name, std::unique_ptr<const Recipe> recipe, Fields& parameters,
                                        const TransformDefaults& defaults) {
    return make_keyed(name, std::move(recipe), parameters, defaults);
}

}  // namespace

std::unique_ptr<Transform> make_ipv4(Fields& parameters, const TransformDefaults& defaults) {
    return make_address("ipv4", std::make_unique<Address>("ipv4", ipv4, inet_oid, 14, false), parameters, defaults);
}
std::unique_ptr<Transform> make_ipv6(Fields& parameters, const TransformDefaults& defaults) {
    return make_address("ipv6", std::make_unique<Address>("ipv6", ipv6, inet_oid, 39, true), parameters, defaults);
}
std::unique_ptr<Transform> make_mac(Fields& parameters, const TransformDefaults& defaults) {
    return make_address("mac", std::make_unique<Address>("mac", mac, macaddr_oid, 17, false), parameters, defaults);
}
std::unique_ptr<Transform> make_domain(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("domain", domain, parameters, defaults);
}
std::unique_ptr<Transform> make_url(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("url", url, parameters, defaults);
}

}  // namespace pgsluice::rules
