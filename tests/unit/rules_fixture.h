// What the rules' tests share: files from text, relations and rows in a line.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rules/ruleset.h"
#include "sql/error.h"
#include "stream/format/ddl_message.h"

namespace pgsluice::rules_test {

// A file that is gone with this.
class TextFile {
   public:
    explicit TextFile(const std::string& text, const std::string& name = "rules.yaml") {
        std::string pattern = (std::filesystem::temp_directory_path() / "pgsluice-rules-XXXXXX").string();
        directory_ = mkdtemp(pattern.data());
        path_ = directory_ + "/" + name;
        std::ofstream(path_) << text;
    }
    TextFile(const TextFile&) = delete;
    TextFile& operator=(const TextFile&) = delete;
    ~TextFile() { std::filesystem::remove_all(directory_); }
    [[nodiscard]] const std::string& path() const { return path_; }

   private:
    std::string directory_;
    std::string path_;
};

inline std::unique_ptr<Ruleset> load(const std::string& rules, const std::string& routing = {}) {
    std::optional<TextFile> rules_file;
    std::optional<TextFile> routing_file;
    RulesOptions options;
    if (!rules.empty()) options.rules_file = rules_file.emplace(rules).path();
    if (!routing.empty()) options.routing_file = routing_file.emplace(routing, "routing.yaml").path();
    return Ruleset::load(options);
}

// What the rules make of a DDL message's content; nothing when they drop it.
inline std::optional<std::string> ruled_ddl(const Ruleset& ruleset, const std::string& content) {
    Change change;
    change.op = Op::message;
    change.prefix = ddl_message_prefix;
    change.content = content;
    Arena arena;
    if (!ruleset.apply_ddl(change, arena)) return std::nullopt;
    return std::string(change.content);
}

// pg_flo's example, for a table users (id, email, age, ssn).
inline constexpr const char* example_rules = R"(
tables:
  users:
    - type: transform
      column: email
      parameters: {type: mask, mask_char: "*"}
      operations: [INSERT, UPDATE, DELETE]
      allow_empty_deletes: true
    - type: filter
      column: age
      parameters: {operator: gte, value: 18, allow_empty_deletes: true}
    - {type: exclude_column, column: ssn}
)";

struct ColumnType {
    Oid oid;
    const char* name;
};
inline constexpr ColumnType text_type{25, "text"};
inline constexpr ColumnType varchar_type{1043, "character varying"};
inline constexpr ColumnType char_type{1042, "character"};
inline constexpr ColumnType integer_type{23, "integer"};
inline constexpr ColumnType bigint_type{20, "bigint"};
inline constexpr ColumnType numeric_type{1700, "numeric"};
inline constexpr ColumnType double_type{701, "double precision"};
inline constexpr ColumnType boolean_type{16, "boolean"};
inline constexpr ColumnType date_type{1082, "date"};
inline constexpr ColumnType timestamp_type{1114, "timestamp without time zone"};
inline constexpr ColumnType timestamptz_type{1184, "timestamp with time zone"};
inline constexpr ColumnType time_type{1083, "time without time zone"};
inline constexpr ColumnType timetz_type{1266, "time with time zone"};
inline constexpr ColumnType interval_type{1186, "interval"};
inline constexpr ColumnType uuid_type{2950, "uuid"};
inline constexpr ColumnType jsonb_type{3802, "jsonb"};
inline constexpr ColumnType plain_json_type{114, "json"};
inline constexpr ColumnType bytea_type{17, "bytea"};
inline constexpr ColumnType mood_type{16400, "shop.mood"};

inline Column column(const std::string& name, ColumnType type, bool key = false, Oid element = 0) {
    return {name, type.oid, -1, key, type.name, type.oid, element};
}

inline RelationPtr relation(const std::string& table, std::vector<Column> columns,
                            ReplicaIdentity identity = ReplicaIdentity::default_key) {
    const auto oid = static_cast<Oid>(16384 + std::hash<std::string>{}(table) % 1000000);
    Relation made{oid, "public", table, identity, std::move(columns)};
    if (identity == ReplicaIdentity::full)
        for (Column& one : made.columns) one.key = true;
    return std::make_shared<const Relation>(std::move(made));
}

// The same with the column under a unique index beside the key.
inline RelationPtr unique_column(const RelationPtr& of, const std::string& name) {
    Relation made = *of;
    for (Column& one : made.columns) one.unique = one.unique || one.name == name;
    return std::make_shared<const Relation>(std::move(made));
}

using Values = std::vector<Value>;
inline Value text(std::string_view value) { return Value(value); }
inline const Value null{};
inline const Value toast = Value::unchanged();

inline Change insert(const RelationPtr& table, const Values& row) {
    Change change;
    change.relation = table.get();
    change.new_row = row;
    return change;
}

inline Change update(const RelationPtr& table, const Values& row, OldRow kind = OldRow::none, const Values& old = {}) {
    Change change = insert(table, row);
    change.op = Op::update;
    change.old_kind = kind;
    if (kind != OldRow::none) change.old_row = old;
    return change;
}

inline Change del(const RelationPtr& table, OldRow kind, const Values& old) {
    Change change;
    change.op = Op::del;
    change.relation = table.get();
    change.old_kind = kind;
    change.old_row = old;
    return change;
}

inline Values values(Row row) { return {row.begin(), row.end()}; }

// The message and hint of the Error that `call` throws; empty when it throws none.
template <typename Call>
std::string error_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return std::string(error.what()) + "\nHINT: " + error.hint();
    }
    return {};
}

}  // namespace pgsluice::rules_test

namespace doctest {
template <>
struct StringMaker<pgsluice::Value> {
    static String convert(const pgsluice::Value& value) {
        if (value.is_null()) return "NULL";
        if (value.is_unchanged()) return "unchanged";
        return String(("'" + std::string(value.text()) + "'").c_str());
    }
};
template <>
struct StringMaker<std::vector<pgsluice::Value>> {
    static String convert(const std::vector<pgsluice::Value>& row) {
        String text = "(";
        for (const auto& value : row) text += StringMaker<pgsluice::Value>::convert(value) + " ";
        return text + ")";
    }
};
}  // namespace doctest
