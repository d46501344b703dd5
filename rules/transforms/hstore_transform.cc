// hstore: applies another transform to the values of some keys, deletes them, or gives them another value where they
// are. All else stays. NULL stays NULL, but for a constant and `set`.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "rules/transforms/inner.h"
#include "rules/transforms/quoted.h"
#include "rules/transforms/transforms.h"
#include "sql/quote.h"

namespace pgsluice::rules {
namespace {

constexpr const char* no_hstore = "it is not hstore";

void expect(std::string_view& rest, std::string_view what) {
    if (!rest.starts_with(what)) throw Unreadable{no_hstore};
    rest.remove_prefix(what.size());
}

class Hstore : public Transform {
   public:
    Hstore(std::vector<std::string> keys, InnerEdit edit) : keys_(std::move(keys)), edit_(std::move(edit)) {}

    std::string unfit(const Column& column, ValueType type) const override {
        const bool fits =
            type == ValueType::other && (column.type_name == "hstore" || column.type_name.ends_with(".hstore"));
        return fits ? std::string{} : takes("hstore", column);
    }
    bool repeats() const override { return edit_.repeats(); }
    // As hstore_out() prints it: "a"=>"1", "b"=>NULL
    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        std::string out;
        for (std::string_view rest = text; !rest.empty();) {
            pair(rest, out, arena);
            if (rest.empty()) break;
            expect(rest, ", ");
            if (rest.empty()) throw Unreadable{no_hstore};
        }
        return Value(arena.copy(out));
    }
    std::string describe() const override { return edited(edit_.inner != nullptr ? edit_.inner->describe() : ""); }
    std::string meaning() const override { return edited(edit_.inner != nullptr ? edit_.inner->meaning() : ""); }

   private:
    [[nodiscard]] std::string edited(const std::string& inner) const {
        const std::string keys = fmt::format("{}", fmt::join(keys_, ", "));
        return edit_.inner != nullptr ? fmt::format("of {}: {}", keys, inner) : edit_.describe(keys);
    }

    void pair(std::string_view& rest, std::string& out, Arena& arena) const {
        const std::string_view from = rest;
        std::string key;
        take(rest, key);
        expect(rest, "=>");
        const std::string_view named = from.substr(0, from.size() - rest.size());
        std::string text;
        const bool null = rest.starts_with("NULL");
        if (null)
            rest.remove_prefix(4);
        else
            take(rest, text);
        const bool chosen = std::ranges::find(keys_, key) != keys_.end();
        if (chosen && edit_.removes()) return;
        out += out.empty() ? "" : ", ";
        if (!chosen) {
            out.append(from, 0, from.size() - rest.size());
            return;
        }
        out += named;
        put(out, edit_.set ? Value(*edit_.set) : transformed(text, null, arena));
    }

    static void take(std::string_view& rest, std::string& text) {
        if (!rest.starts_with('"')) throw Unreadable{no_hstore};
        take_quoted(rest, text);
    }

    [[nodiscard]] Value transformed(const std::string& text, bool null, Arena& arena) const {
        return null ? edit_.inner->for_null(ValueType::text) : edit_.inner->apply(text, ValueType::text, arena);
    }

    static void put(std::string& out, const Value& value) {
        if (value.is_text())
            sql::append_quoted_element(out, value.text());
        else
            out += "NULL";
    }

    std::vector<std::string> keys_;
    InnerEdit edit_;
};

}  // namespace

std::unique_ptr<Transform> make_hstore(Fields& parameters, const TransformDefaults& defaults) {
    std::vector<std::string> keys = read_one_or_more(parameters, "key", "keys");
    return std::make_unique<Hstore>(std::move(keys), read_edit_of_texts(parameters, defaults, "hstore"));
}

}  // namespace pgsluice::rules
