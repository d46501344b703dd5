// username, email: of a made-up name, and a suffix of 13 characters by which different values stay different.
#include <fmt/format.h>

#include "rules/transforms/fake/names.h"
#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr std::string_view suffix_characters = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t suffix_length = 13;  // 67 bits: no two of a table's values meet by chance
constexpr const char* default_domain = "example.com";

struct AccountForm {
    bool unique = true;
    bool is_email = false;
    bool keep_domain = false;
    std::string domain;
};

bool is_domain(std::string_view text) {
    constexpr std::string_view known = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    return text.find('.') != std::string_view::npos && text.find_first_not_of(known) == std::string_view::npos;
}

class Account : public Recipe {
   public:
    Account(AccountForm form, const Locale& locale) : form_(std::move(form)), locale_(locale) {}

    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    bool keeps_distinct() const override { return form_.unique; }
    std::size_t longest() const override {
        if (form_.keep_domain) return 0;
        return least_local() + (form_.is_email ? 1 + form_.domain.size() : 0);
    }

    void make(Draw& draw, std::string_view text, const ColumnForm& column, std::string& out) const override {
        const std::string_view domain = domain_of(text);
        any_plain_name(draw, out);
        if (form_.unique) {
            out += '.';
            draw.append_of(out, suffix_characters, suffix_length);
        } else {
            draw.append_digits(out, 2);
        }
        const std::size_t behind = form_.is_email ? 1 + domain.size() : 0;
        if (column.most > 0 && out.size() + behind > column.most) leave_name_out(column.most, behind, out);
        if (form_.is_email) out.append("@").append(domain);
    }
    std::string describe() const override {
        const std::string_view domain = form_.keep_domain ? "its domain" : std::string_view(form_.domain);
        return fmt::format("made-up {}{}{} ({})", form_.is_email ? "email at " : "username", domain,
                           form_.unique ? ", unique" : "", locale_.name);
    }

   private:
    void any_plain_name(Draw& draw, std::string& out) const {
        thread_local std::string name;
        name.clear();
        any_first_name(draw, locale_, name);
        append_plain(out, name);
        out += '.';
        append_plain(out, locale_.last_names.one(draw));
    }

    [[nodiscard]] std::string_view domain_of(std::string_view text) const {
        const std::size_t at = text.rfind('@');
        if (!form_.keep_domain || at == std::string_view::npos) return form_.domain;
        const std::string_view domain = text.substr(at + 1);
        return is_domain(domain) ? domain : std::string_view(form_.domain);
    }

    [[nodiscard]] std::size_t least_local() const { return form_.unique ? suffix_length : 2; }

    // What tells values apart is at the end.
    void leave_name_out(std::size_t most, std::size_t behind, std::string& out) const {
        const std::size_t room = most > behind ? most - behind : 0;
        if (room < out.size()) out.erase(0, out.size() - std::max(room, least_local()));
        if (out.starts_with('.')) out[0] = 'x';
    }

    AccountForm form_;
    const Locale& locale_;
};

std::unique_ptr<Transform> make_account(std::string_view name, AccountForm form, Fields& parameters,
                                        const TransformDefaults& defaults) {
    form.unique = parameters.flag("unique", true);
    auto recipe = std::make_unique<Account>(std::move(form), read_locale(parameters, defaults));
    return make_keyed(name, std::move(recipe), parameters, defaults);
}

}  // namespace

std::unique_ptr<Transform> make_username(Fields& parameters, const TransformDefaults& defaults) {
    return make_account("username", {}, parameters, defaults);
}

std::unique_ptr<Transform> make_email(Fields& parameters, const TransformDefaults& defaults) {
    AccountForm form;
    form.is_email = true;
    form.keep_domain = parameters.flag("keep_domain", false);
    const auto domain = parameters.text("domain");
    if (domain && form.keep_domain) throw refuse(parameters.place(), "both 'domain' and 'keep_domain'");
    form.domain = domain.value_or(default_domain);
    if (!is_domain(form.domain)) throw refuse(parameters.place(), "'domain' is not a domain");
    return make_account("email", std::move(form), parameters, defaults);
}

}  // namespace pgsluice::rules
