// A canary of every type through every transform that takes the type, driven by the table of transforms: it is in no
// result and in no error, also where the value is cut, doubled or not valid UTF-8.
#include <doctest/doctest.h>

#include <set>

#include "rules/transforms/transform_table.h"
#include "tests/support/canary_tables.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::canary_columns;
using pgsluice::test::canary_types;
using pgsluice::test::CanaryColumn;
using pgsluice::test::CanaryType;
using pgsluice::test::found_canary;

namespace {

const TextFile& secret() {
    static const TextFile file("canary-secret", "secret");
    return file;
}

template <typename Call>
void for_each_column(const Call& call) {
    for (const CanaryType& type : canary_types()) {
        for (const CanaryColumn& column : canary_columns(type, secret().path())) {
            CAPTURE(type.name);
            CAPTURE(column.parameters);
            call(type, column);
        }
    }
}

// One column under one rule.
class Ruled {
   public:
    Ruled(const CanaryType& type, const CanaryColumn& column)
        : table_(relation("t", {rules_test::column("id", integer_type, true), type.column})),
          compiled_(load("secret_file: " + secret().path() +
                         "\ntables: {t: [{type: transform, column: c, parameters: {" + column.parameters + "}}]}")
                        ->compile(table_)) {}

    // The value as the rule leaves it, or the error.
    [[nodiscard]] std::string operator()(std::string_view value) const {
        const Values row{text("1"), text(value)};
        Change change = insert(table_, row);
        Arena arena;
        std::string result;
        const std::string error = error_of([&] {
            const bool passes = compiled_->apply(change, arena);
            REQUIRE(passes);
            result = change.new_row[1].is_text() ? std::string(change.new_row[1].text()) : "NULL";
        });
        return error.empty() ? result : error;
    }

   private:
    RelationPtr table_;
    std::shared_ptr<const CompiledRules> compiled_;
};

// The value cut within the canary and after it, doubled, with bytes that are no UTF-8, and with NUL.
std::vector<std::string> hostile(const std::string& value) {
    std::vector<std::string> all{value + "|" + value,          value + "\xff",       "\xed\xa0\x80" + value,
                                 value + std::string(1, '\0'), value + "\n" + value, "{" + value,
                                 "\"" + value + "\"",          "<" + value};
    for (std::size_t size = value.size() / 2; size < value.size(); size += 1 + value.size() / 6)
        all.push_back(value.substr(0, size));
    return all;
}

}  // namespace

TEST_CASE("every transform takes a type of which there is a canary, and every type a transform that hides it") {
    std::set<std::string> kinds{"boolean"};  // one of two values is nobody's
    std::set<std::string> types;
    for_each_column([&](const CanaryType& type, const CanaryColumn& column) {
        kinds.insert(column.kind);
        types.insert(type.name);
    });
    for (const rules::TransformKind& kind : rules::transform_kinds())
        // A new one of the kind that applies another one needs a type that says `within`.
        CHECK_MESSAGE(kinds.contains(std::string(kind.name)), kind.name);
    for (const CanaryType& type : canary_types()) CHECK_MESSAGE(types.contains(type.name), type.name);
}

TEST_CASE("no canary is in what a transform makes of it") {
    for (const CanaryType& type : canary_types()) CHECK_MESSAGE(!found_canary(type.value).empty(), type.name);
    for_each_column([](const CanaryType& type, const CanaryColumn& column) {
        const std::string made = Ruled(type, column)(type.value);
        CHECK_MESSAGE(found_canary(made).empty(), made);
        CHECK_FALSE(made.starts_with("unable"));
    });
}

TEST_CASE("nor is one in what comes of a value that is cut, doubled or not of its type") {
    for_each_column([](const CanaryType& type, const CanaryColumn& column) {
        const Ruled ruled(type, column);
        for (const std::string& value : hostile(type.value)) {
            CAPTURE(value);
            const std::string made = ruled(value);
            CHECK_MESSAGE(found_canary(made).empty(), made);
        }
    });
}
