#include "rules/transforms/composite_transform.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "rules/transforms/field_type.h"
#include "rules/transforms/inner.h"

namespace pgsluice::rules {
namespace {

constexpr Oid first_of_users = 16384;  // every row type is made by somebody

// As record_out() does.
bool field_needs_quotes(std::string_view text) {
    return text.empty() || text.find_first_of("(),\"\\ \t\n\r\v\f") != std::string_view::npos;
}

// What to do with some fields, all of one type.
struct FieldEdit {
    std::shared_ptr<const Transform> inner;
    std::vector<int> fields;  // from 1, in order
    ValueType type = ValueType::text;
    std::string type_name = "text";
};

// Writes a row's text again, field by field. NULL stays NULL, but for a constant.
class FieldRewriter {
   public:
    FieldRewriter(std::string_view text, const FieldEdit& edit, Arena& arena)
        : rest_(text), edit_(edit), arena_(arena) {}

    Value run() {
        expect('(');
        for (int field = 1;; ++field) {
            const std::optional<std::string> value = take();
            const bool meant = std::ranges::find(edit_.fields, field) != edit_.fields.end();
            put(!meant  ? value
                : value ? made(edit_.inner->apply(*value, edit_.type, arena_))
                        : made(edit_.inner->for_null(edit_.type)));
            if (rest_.starts_with(')')) {
                if (field < edit_.fields.back()) throw Unreadable{fmt::format("the row has {} fields", field)};
                break;
            }
            expect(',');
        }
        expect(')');
        if (!rest_.empty()) throw Unreadable{"it is not a row"};
        return Value(arena_.copy(out_));
    }

   private:
    void expect(char c) {
        if (!rest_.starts_with(c)) throw Unreadable{"it is not a row"};
        out_ += c;
        rest_.remove_prefix(1);
    }

    // Nothing is NULL; "" is an empty text.
    std::optional<std::string> take() {
        if (rest_.starts_with(',') || rest_.starts_with(')')) return std::nullopt;
        std::string text;
        bool quoted = false;
        while (quoted || (!rest_.starts_with(',') && !rest_.starts_with(')'))) {
            if (rest_.empty()) throw Unreadable{"it is not a row"};
            const bool escaped = rest_[0] == '\\' || (quoted && rest_.starts_with("\"\""));
            if (escaped && rest_.size() < 2) throw Unreadable{"it is not a row"};
            if (escaped || rest_[0] != '"')
                text += rest_[escaped ? 1 : 0];
            else
                quoted = !quoted;
            rest_.remove_prefix(escaped ? 2 : 1);
        }
        return text;
    }

    static std::optional<std::string> made(const Value& value) {
        return value.is_text() ? std::optional(std::string(value.text())) : std::nullopt;
    }

    void put(const std::optional<std::string>& value) {
        if (!value) return;
        if (!field_needs_quotes(*value)) {
            out_ += *value;
            return;
        }
        out_ += '"';
        for (const char c : *value) {
            if (c == '"' || c == '\\') out_ += c;
            out_ += c;
        }
        out_ += '"';
    }

    std::string_view rest_;
    const FieldEdit& edit_;
    Arena& arena_;
    std::string out_;
};

class Composite : public Transform {
   public:
    explicit Composite(FieldEdit edit) : edit_(std::move(edit)) {}

    std::string unfit(const Column& column, ValueType type) const override {
        const bool fits = type == ValueType::other && column.base_oid >= first_of_users;
        return fits ? "" : takes("row types", column);
    }
    bool repeats() const override { return edit_.inner->repeats(); }
    bool reads_text() const override { return edit_.inner->reads_text(); }
    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        return FieldRewriter(text, edit_, arena).run();
    }
    std::string describe() const override { return named(edit_.inner->describe()); }
    std::string meaning() const override { return named(edit_.inner->meaning()); }

   private:
    [[nodiscard]] std::string named(const std::string& inner) const {
        const std::string type = edit_.type == ValueType::text ? "" : fmt::format(" ({})", edit_.type_name);
        return fmt::format("field {}{}: {}", fmt::join(edit_.fields, ", "), type, inner);
    }

    FieldEdit edit_;
};

int read_field(const std::string& text, const Place& place) {
    int field = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, field);
    if (error != std::errc{} || stop != end || field < 1)
        throw refuse(place, fmt::format("'{}' is not the number of a field", text), "Fields are counted from 1.");
    return field;
}

}  // namespace

std::unique_ptr<Transform> make_composite(Fields& parameters, const TransformDefaults& defaults) {
    FieldEdit edit;
    for (const std::string& text : read_one_or_more(parameters, "field", "fields"))
        edit.fields.push_back(read_field(text, parameters.place()));
    std::ranges::sort(edit.fields);
    const Column field = field_of_type(parameters.text("field_type").value_or("text"), parameters.place());
    edit.type = value_type(field);
    edit.type_name = field.type_name;
    edit.inner = read_inner_of(parameters, defaults, "a row type", field,
                               "Say what the field is, as in field_type: date, or use another transform.");
    if (auto fitted = edit.inner->for_column(field, edit.type)) edit.inner = std::move(fitted);
    return std::make_unique<Composite>(std::move(edit));
}

}  // namespace pgsluice::rules
