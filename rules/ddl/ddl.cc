#include "rules/ddl/ddl.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rules/ddl/kept_definitions.h"
#include "rules/ddl/sql_text.h"

namespace pgsluice::rules {
namespace {

// Commands that mean on the target what they mean in the source. The others (DROP SCHEMA, DROP OWNED) are also about
// what is not the group's, and a dropped index does not say which table it was on.
constexpr std::array<std::string_view, 6> runnable_tags{"CREATE TABLE", "ALTER TABLE", "DROP TABLE",
                                                        "CREATE INDEX", "ALTER INDEX", "COMMENT"};

// What may follow ADD in ALTER TABLE instead of a column.
constexpr std::array<std::string_view, 7> no_column{"constraint", "primary", "unique", "foreign",
                                                    "check",      "exclude", "not"};

bool is_word(const SqlToken& token, std::string_view word) {
    return token.kind == SqlToken::Kind::word && identifier_name(token) == word;
}

class DdlRules {
   public:
    DdlRules(const RulesFile& file, const std::vector<Route>& routes, const Ancestors& above, DdlMessage& message)
        : file_(file), routes_(routes), above_(above), message_(message), tokens_(sql_tokens(message.command)) {
        std::erase_if(tokens_, [](const SqlToken& token) { return token.kind == SqlToken::Kind::comment; });
    }

    bool apply() {
        if (!drop_unreplicated()) return false;
        // Names and literals in it cannot be told apart for sure.
        if (any_rules() && is_doubtful(tokens_)) {
            tokens_.clear();
            message_.command.clear();
        }
        check_new_name();
        // The rest of a text that is no statement of its own may be anything.
        const bool ruled = has_rules() || (any_rules() && (!alone() || unknown()));
        if (message_.obstacle.empty()) message_.obstacle = obstacle(ruled);
        if (ruled) message_.command = without_literals(message_.command);
        rename();
        return true;
    }

   private:
    const TableRules* rules_of(const DdlObject& object) const {
        return entry_for(file_.tables, named(object), &TableRules::name);
    }
    const Route* route_of(const DdlObject& object) const { return entry_for(routes_, named(object), &Route::source); }
    Relation named(const DdlObject& object) const {
        Relation relation;
        relation.schema = object.schema;
        relation.table = object.table;
        relation.ancestors = ancestors_of(object).value_or(std::vector<QualifiedName>{});
        return relation;
    }
    std::optional<std::vector<QualifiedName>> ancestors_of(const DdlObject& object) const {
        return object.ancestors ? object.ancestors : above_({object.schema, object.table});
    }
    // Whether a table may be a partition of one with rules.
    bool unknown() const {
        return std::any_of(message_.objects.begin(), message_.objects.end(), [&](const DdlObject& object) {
            return !object.table.empty() && rules_of(object) == nullptr && !ancestors_of(object);
        });
    }
    bool any_rules() const { return file_.strict || !file_.tables.empty(); }

    // A name in the text: a table that the command renames has its new name in the objects already.
    bool text_names(const std::string& table) const {
        return std::any_of(tokens_.begin(), tokens_.end(), [&](const SqlToken& token) {
            const bool identifier = token.kind == SqlToken::Kind::word || token.kind == SqlToken::Kind::quoted;
            return identifier && identifier_name(token) == table;
        });
    }

    bool text_has(std::string_view word) const {
        return std::any_of(tokens_.begin(), tokens_.end(), [&](const SqlToken& token) { return is_word(token, word); });
    }

    bool text_has(std::string_view word, std::string_view next) const {
        return std::adjacent_find(tokens_.begin(), tokens_.end(), [&](const SqlToken& a, const SqlToken& b) {
                   return is_word(a, word) && is_word(b, next);
               }) != tokens_.end();
    }

    bool alone() const { return is_statement(tokens_, message_.tag); }

    // A table, not a column or constraint of it: RENAME TO without a name between, or SET SCHEMA.
    bool may_rename() const {
        if (!alone()) return text_has("rename") || text_has("schema");
        return message_.tag == "ALTER TABLE" && (text_has("rename", "to") || text_has("set", "schema"));
    }

    bool drop_unreplicated() {
        auto& objects = message_.objects;
        std::erase_if(objects, [&](const DdlObject& object) {
            const Route* route = route_of(object);
            return route != nullptr && !route->replicate;
        });
        return !objects.empty();
    }

    void check_new_name() const {
        if (!may_rename()) return;
        for (const DdlObject& object : message_.objects) {
            for (const TableRules& entry : file_.tables)
                if (text_names(entry.name.table) && rules_of(object) == nullptr) refuse_name(object, entry.place);
            for (const Route& entry : routes_)
                if (text_names(entry.source.table) && route_of(object) == nullptr) refuse_name(object, entry.place);
        }
    }

    [[noreturn]] static void refuse_name(const DdlObject& object, const Place& old) {
        throw stop_error(
            fmt::format("unable to continue after a DDL command: it may rename table '{}' ({}:{}) to '{}.{}', "
                        "which the file does not name",
                        old.table, old.file, old.line, object.schema, object.table),
            "Name the table by its new name in the rules and routing files, too, and start again.");
    }

    bool has_rules() const {
        if (file_.strict) return true;
        if (lists_columns()) return true;
        return std::any_of(file_.tables.begin(), file_.tables.end(), [&](const TableRules& entry) {
            return text_names(entry.name.table) ||
                   std::any_of(message_.objects.begin(), message_.objects.end(),
                               [&](const DdlObject& object) { return entry.name.covers(named(object)); });
        });
    }

    bool routed() const {
        return std::any_of(message_.objects.begin(), message_.objects.end(), [&](const DdlObject& object) {
            const Route* route = route_of(object);
            if (route == nullptr) return false;
            const TableName& target = route->target;
            return is_kept_otherwise(route) || !route->columns.empty() ||
                   (!target.schema.empty() && target.schema != object.schema) ||
                   (!target.table.empty() && target.table != object.table);
        });
    }

    bool lists_columns() const {
        return std::any_of(message_.objects.begin(), message_.objects.end(), [&](const DdlObject& object) {
            const Route* route = route_of(object);
            return route != nullptr && !route->only.empty();
        });
    }

    bool computes() const {
        return std::ranges::any_of(message_.objects, [&](const DdlObject& object) {
            const Route* route = route_of(object);
            return route != nullptr && !route->set.empty();
        });
    }

    bool excludes() const {
        return lists_columns() ||
               std::any_of(message_.objects.begin(), message_.objects.end(), [&](const DdlObject& object) {
                   const TableRules* entry = rules_of(object);
                   return entry != nullptr &&
                          std::any_of(entry->rules.begin(), entry->rules.end(),
                                      [](const Rule& rule) { return rule.kind == Rule::Kind::exclude; });
               });
    }

    // Rows of a table that is routed into the one that the command drops or changes would go or change, too.
    const Route* other_source() const {
        if (message_.tag != "DROP TABLE" && message_.tag != "ALTER TABLE") return nullptr;
        for (const DdlObject& object : message_.objects)
            for (const Route& route : routes_)
                if (fills(route, object) && !route.source.covers(named(object))) return &route;
        return nullptr;
    }
    bool fills(const Route& route, const DdlObject& object) const {
        return route.fills(object.schema, object.table) ||
               (may_rename() && text_names(route.target.table) && route.replicate);
    }

    bool strict() const {
        return std::any_of(message_.objects.begin(), message_.objects.end(), [&](const DdlObject& object) {
            const TableRules* entry = rules_of(object);
            return entry != nullptr ? entry->strict : file_.strict;
        });
    }

    // Strict: whatever the command computes or adds on the target, no rule has seen.
    std::string strict_obstacle() const {
        for (const std::string_view word : {"default", "generated", "using"})
            if (text_has(word)) return fmt::format("mode is strict, and the command computes values ({})", word);
        for (const std::string& column : added_columns())
            if (!has_rule_for(column))
                return fmt::format("mode is strict, and no rule names the column '{}' that the command adds", column);
        return {};
    }

    std::vector<std::string> added_columns() const {
        std::vector<std::string> columns;
        if (message_.tag != "ALTER TABLE") return columns;
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            if (!is_word(tokens_[i], "add")) continue;
            std::size_t name = i + 1;
            if (name < tokens_.size() && is_word(tokens_[name], "column")) ++name;
            if (name < tokens_.size() && is_word(tokens_[name], "if")) name += 3;  // IF NOT EXISTS
            if (name >= tokens_.size()) continue;
            const bool other = std::any_of(no_column.begin(), no_column.end(),
                                           [&](std::string_view word) { return is_word(tokens_[name], word); });
            if (!other) columns.push_back(identifier_name(tokens_[name]));
        }
        return columns;
    }

    bool has_rule_for(const std::string& column) const {
        return std::any_of(message_.objects.begin(), message_.objects.end(), [&](const DdlObject& object) {
            const TableRules* entry = rules_of(object);
            return entry != nullptr && std::any_of(entry->rules.begin(), entry->rules.end(), [&](const Rule& rule) {
                       return rule.kind != Rule::Kind::filter && rule.when.empty() && rule.column == column;
                   });
        });
    }

    std::string obstacle(bool ruled) const {
        if (std::find(runnable_tags.begin(), runnable_tags.end(), message_.tag) == runnable_tags.end())
            return fmt::format("{} is not applied", message_.tag);
        if (message_.command.empty()) return "its text is not known";
        if (!alone()) return "it came together with other statements, or from within a function";
        if (routed()) return "the table is routed, and the command names it as the source does";
        if (excludes()) return "columns of the table are excluded";
        if (computes()) return "columns of the table are computed";
        if (const Route* other = other_source())
            return fmt::format("rows of {} are in the table, too", other->place.table);
        if (ruled && has_literals(tokens_)) return "the table has rules, and the command holds literals";
        return strict() ? strict_obstacle() : std::string{};
    }

    void rename() {
        for (DdlObject& object : message_.objects) {
            const Route* route = route_of(object);
            if (route == nullptr) continue;
            if (!route->target.schema.empty()) object.schema = route->target.schema;
            if (!route->target.table.empty()) object.table = route->target.table;
        }
    }

    const RulesFile& file_;
    const std::vector<Route>& routes_;
    const Ancestors& above_;
    DdlMessage& message_;
    std::vector<SqlToken> tokens_;  // views into message_.command as it came
};

}  // namespace

bool apply_to_ddl(const RulesFile& file, const std::vector<Route>& routes, const Ancestors& above,
                  DdlMessage& message) {
    return DdlRules(file, routes, above, message).apply();
}

}  // namespace pgsluice::rules
