#include "rules/ddl.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rules/sql_text.h"

namespace pgsluice::rules {
namespace {

// Commands that mean on the target what they mean in the source. The others (DROP SCHEMA, DROP OWNED) are also about
// what is not the group's, and of a dropped index nobody can tell whose it was.
constexpr std::array<std::string_view, 6> kRunnable{"CREATE TABLE", "ALTER TABLE", "DROP TABLE",
                                                    "CREATE INDEX", "ALTER INDEX", "COMMENT"};

Relation named(const DdlObject& object) {
    Relation relation;
    relation.schema = object.schema;
    relation.table = object.table;
    return relation;
}

class DdlRules {
   public:
    DdlRules(const RulesFile& file, const std::vector<Route>& routes, DdlMessage& message)
        : file_(file), routes_(routes), message_(message), tokens_(sql_tokens(message.command)) {}

    bool apply() {
        if (!drop_unreplicated()) return false;
        check_new_name();
        // The rest of a text that is no statement of its own may be anything.
        const bool alone = is_statement(tokens_, message_.tag);
        const bool ruled = has_rules() || (!alone && !file_.tables.empty());
        if (message_.obstacle.empty()) message_.obstacle = obstacle(alone, ruled);
        if (ruled) message_.command = without_literals(message_.command);
        rename();
        return true;
    }

   private:
    const TableRules* rules_of(const DdlObject& object) const {
        return entry_for(file_.tables, named(object), &TableRules::name);
    }
    const Route* route_of(const DdlObject& object) const { return entry_for(routes_, named(object), &Route::source); }

    // A name in the text: a table that the command renames has its new name in the objects already.
    bool text_names(const std::string& table) const {
        return std::any_of(tokens_.begin(), tokens_.end(), [&](const SqlToken& token) {
            const bool identifier = token.kind == SqlToken::Kind::word || token.kind == SqlToken::Kind::quoted;
            return identifier && identifier_name(token) == table;
        });
    }

    bool text_has(std::string_view word) const {
        return std::any_of(tokens_.begin(), tokens_.end(), [&](const SqlToken& token) {
            return token.kind == SqlToken::Kind::word && identifier_name(token) == word;
        });
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
        if (!text_has("rename") && !text_has("schema")) return;
        for (const DdlObject& object : message_.objects) {
            for (const TableRules& entry : file_.tables)
                if (text_names(entry.name.table) && rules_of(object) == nullptr) refuse_name(object, entry.place);
            for (const Route& entry : routes_)
                if (text_names(entry.source.table) && route_of(object) == nullptr) refuse_name(object, entry.place);
        }
    }

    [[noreturn]] static void refuse_name(const DdlObject& object, const Place& old) {
        throw stop_error(
            fmt::format("unable to go on behind a DDL command: it may give table '{}' ({}:{}) the name '{}.{}', "
                        "which the file does not know",
                        old.table, old.file, old.line, object.schema, object.table),
            "Name the table by its new name in the rules and routing files, too, and start again.");
    }

    bool has_rules() const {
        if (file_.strict) return true;
        return std::any_of(file_.tables.begin(), file_.tables.end(), [&](const TableRules& entry) {
            return text_names(entry.name.table) ||
                   std::any_of(message_.objects.begin(), message_.objects.end(),
                               [&](const DdlObject& object) { return entry.name.matches(named(object)); });
        });
    }

    bool routed() const {
        return std::any_of(message_.objects.begin(), message_.objects.end(), [&](const DdlObject& object) {
            const Route* route = route_of(object);
            if (route == nullptr) return false;
            const TableName& target = route->target;
            return !route->columns.empty() || (!target.schema.empty() && target.schema != object.schema) ||
                   (!target.table.empty() && target.table != object.table);
        });
    }

    bool excludes() const {
        return std::any_of(message_.objects.begin(), message_.objects.end(), [&](const DdlObject& object) {
            const TableRules* entry = rules_of(object);
            return entry != nullptr && std::any_of(entry->rules.begin(), entry->rules.end(),
                                                   [](const Rule& rule) { return rule.kind == Rule::Kind::exclude; });
        });
    }

    std::string obstacle(bool alone, bool ruled) const {
        if (std::find(kRunnable.begin(), kRunnable.end(), message_.tag) == kRunnable.end())
            return fmt::format("{} is not applied", message_.tag);
        if (message_.command.empty()) return "its text is not known";
        if (!alone) return "it came together with other statements, or from within a function";
        if (routed()) return "the table is routed, and the command names it as the source does";
        if (excludes()) return "columns of the table are excluded";
        if (ruled && has_literals(tokens_)) return "the table has rules, and the command holds literals";
        return {};
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
    DdlMessage& message_;
    std::vector<SqlToken> tokens_;  // views into message_.command as it came
};

}  // namespace

bool apply_to_ddl(const RulesFile& file, const std::vector<Route>& routes, DdlMessage& message) {
    return DdlRules(file, routes, message).apply();
}

}  // namespace pgsluice::rules
