// One transform on one column, for tests that look at many values of it.
#pragma once

#include <map>

#include "tests/unit/rules_fixture.h"

namespace pgsluice::rules_test {

inline constexpr const char* example_secret = "example-secret";

inline constexpr ColumnType hstore_type{16500, "public.hstore"};
inline constexpr ColumnType xml_type{142, "xml"};
inline constexpr ColumnType text_array_type{1009, "text[]"};

// A column for which a value of the table's examples is one.
inline ColumnType type_for(rules::ValueType type) {
    const std::map<rules::ValueType, ColumnType> types{{rules::ValueType::text, text_type},
                                                       {rules::ValueType::padded_text, char_type},
                                                       {rules::ValueType::number, numeric_type},
                                                       {rules::ValueType::boolean, boolean_type},
                                                       {rules::ValueType::date, date_type},
                                                       {rules::ValueType::timestamp, timestamp_type},
                                                       {rules::ValueType::timestamptz, timestamptz_type},
                                                       {rules::ValueType::time, time_type},
                                                       {rules::ValueType::timetz, timetz_type},
                                                       {rules::ValueType::uuid, uuid_type},
                                                       {rules::ValueType::json, jsonb_type},
                                                       {rules::ValueType::bytea, bytea_type},
                                                       {rules::ValueType::interval, interval_type},
                                                       {rules::ValueType::other, hstore_type},
                                                       {rules::ValueType::array, text_array_type}};
    return types.at(type);
}

inline Oid element_of(ColumnType type) { return type.oid == text_array_type.oid ? text_type.oid : 0; }

class OneTransform {
   public:
    // `parameters` as in the table: "min: 1, max: 6".
    OneTransform(const std::string& name, const std::string& parameters, Column column,
                 const std::string& secret = example_secret)
        : table_(relation("t", {std::move(column), rules_test::column("who", text_type)})) {
        const TextFile file(secret, "secret");
        const std::string all = parameters.empty() ? "" : ", " + parameters;
        compiled_ =
            load("secret_file: " + file.path() + "\ntables: {t: [{type: transform, column: " + table_->columns[0].name +
                 ", parameters: {type: '" + name + "'" + all + "}}]}")
                ->compile(table_);
    }
    OneTransform(const std::string& name, const std::string& parameters, ColumnType type,
                 const std::string& secret = example_secret)
        : OneTransform(name, parameters, column("c", type, false, element_of(type)), secret) {}

    // "NULL" for NULL. Valid until the next call.
    std::string_view operator()(std::string_view text, std::string_view who = "") {
        arena_.clear();
        const Value row[] = {Value(text), Value(who)};
        Change change;
        change.relation = table_.get();
        change.new_row = row;
        const bool passes = compiled_->apply(change, arena_);
        REQUIRE(passes);
        return change.new_row[0].is_null() ? "NULL" : change.new_row[0].text();
    }
    [[nodiscard]] const CompiledRules& compiled() const { return *compiled_; }

   private:
    RelationPtr table_;
    std::shared_ptr<const CompiledRules> compiled_;
    Arena arena_;
};

}  // namespace pgsluice::rules_test
