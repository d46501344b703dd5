#include "sinks/ddl/index_ddl.h"

#include <fmt/format.h>

#include <algorithm>

#include "sinks/ddl/index_text.h"
#include "sinks/ddl/object_commands.h"
#include "sinks/ddl/option_changes.h"
#include "sql/quote.h"

namespace pgsluice {

using sql::quote_identifier;

namespace {

class IndexDdl {
   public:
    IndexDdl(const DefinitionMessage& message, const DefinitionChange& change, const TableDdl& tables, DdlPhases& out)
        : message_(message), change_(change), tables_(tables), out_(out) {}

    void derive() {
        const auto* before = change_.before ? &std::get<IndexDefinition>(*change_.before) : nullptr;
        const auto* after = change_.after ? &std::get<IndexDefinition>(*change_.after) : nullptr;
        if (after == nullptr) return drop(*before);
        if (before == nullptr || !is_made(*before)) {
            if (is_made(*after)) create(*after);
            return;
        }
        alter(*before, *after);
    }

   private:
    static bool is_partitioned(const IndexDefinition& index) {
        return index.definition.find(" ON ONLY ") != std::string::npos;
    }
    // One that CREATE INDEX CONCURRENTLY has not built yet is none.
    static bool is_made(const IndexDefinition& index) { return index.valid || is_partitioned(index); }

    DerivedStatement on(const IndexDefinition& index, std::string text, DdlKind kind = DdlKind::index) const {
        DerivedStatement statement{kind, std::move(text)};
        statement.object = fmt::format("index '{}.{}'", index.schema, index.name);
        statement.table = {index.table.schema, index.table.name};
        return statement;
    }
    // One of this name may be another table's on the target.
    static void require(const IndexDefinition& index, DerivedStatement& statement) {
        statement.condition = fmt::format(
            "EXISTS (SELECT FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass({}) AND "
            "indrelid = pg_catalog.to_regclass({}))",
            sql::quote_literal(sql::quote_qualified(index.schema, index.name)),
            sql::quote_literal(sql::quote_qualified(index.table.schema, index.table.name)));
        statement.otherwise = "the target's table has no index of this name";
    }
    template <typename Test>
    bool any_index(Test test) const {
        return std::any_of(message_.objects.begin(), message_.objects.end(),
                           [&](const DefinitionChange& other) { return class_of(other) == "index" && test(other); });
    }

    // One that is attached goes with the one above it.
    void drop(const IndexDefinition& index) {
        const bool with_parent = index.parent && any_index([&](const DefinitionChange& other) {
                                     return other.oid == index.parent->oid && !other.after;
                                 });
        if (tables_.drops(index.table.oid) || with_parent || !is_made(index)) return;
        auto statement = on(index, "DROP INDEX " + sql::quote_qualified(index.schema, index.name));
        require(index, statement);
        out_.add(DdlPhase::drop_dependents, std::move(statement));
    }

    void create(const IndexDefinition& index) {
        const bool attaches = any_index([&](const DefinitionChange& other) {
            if (!other.after) return false;
            const auto& below = std::get<IndexDefinition>(*other.after);
            return below.parent && below.parent->oid == change_.oid;
        });
        auto statement = on(index, create_index_text(index, is_partitioned(index) && (attaches || !index.valid)));
        statement.creates = true;
        if (!is_partitioned(index) && !index.parent && index.comment.empty()) statement.built_index = index.name;
        statement.condition = unless_attached(index);
        out_.add(DdlPhase::indexes, std::move(statement));
        if (index.parent) attach(index);
        comment(nullptr, index);
    }

    // Where the partition is new and the index above it is not, the partition's came with the partition.
    std::string unless_attached(const IndexDefinition& index) const {
        if (!index.parent) return {};
        const bool new_above =
            any_index([&](const DefinitionChange& other) { return other.oid == index.parent->oid && !other.before; });
        if (new_above) return {};
        return fmt::format(
            "NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_index i ON i.indexrelid = h.inhrelid "
            "WHERE h.inhparent = pg_catalog.to_regclass({}) AND i.indrelid = pg_catalog.to_regclass({}))",
            sql::quote_literal(sql::quote_qualified(index.parent->schema, index.parent->name)),
            sql::quote_literal(sql::quote_qualified(index.table.schema, index.table.name)));
    }

    void attach(const IndexDefinition& index) {
        auto statement = on(index, fmt::format("ALTER INDEX {} ATTACH PARTITION {}",
                                               sql::quote_qualified(index.parent->schema, index.parent->name),
                                               sql::quote_qualified(index.schema, index.name)));
        statement.condition = unless_attached(index);
        out_.add(DdlPhase::attach_indexes, std::move(statement));
    }

    // Its schema is that of its table.
    void alter(const IndexDefinition& before, const IndexDefinition& after) {
        IndexDefinition now = before;
        now.schema = after.schema;
        now.table = after.table;
        const auto alter = [&](const std::string& what) {
            auto statement =
                on(now, fmt::format("ALTER INDEX {} {}", sql::quote_qualified(now.schema, now.name), what));
            require(now, statement);
            out_.add(DdlPhase::indexes, std::move(statement));
        };
        if (before.name != after.name) {
            alter("RENAME TO " + quote_identifier(after.name));
            now.name = after.name;
        }
        for (const std::string& what : option_changes(before.options, after.options)) alter(what);
        if (after.parent && !before.parent) attach(after);
        comment(&before, after);
    }

    void comment(const IndexDefinition* before, const IndexDefinition& after) {
        if ((before == nullptr ? "" : before->comment) == after.comment) return;
        auto statement = on(after,
                            fmt::format("COMMENT ON INDEX {} IS {}", sql::quote_qualified(after.schema, after.name),
                                        comment_text(after.comment)),
                            DdlKind::comment);
        require(after, statement);
        out_.add(DdlPhase::comments, std::move(statement));
    }

    const DefinitionMessage& message_;
    const DefinitionChange& change_;
    const TableDdl& tables_;
    DdlPhases& out_;
};

}  // namespace

void derive_index(const DefinitionMessage& message, const DefinitionChange& change, const TableDdl& tables,
                  DdlPhases& out) {
    IndexDdl(message, change, tables, out).derive();
}

void derive_statistics(const StatisticsDefinition* before, const StatisticsDefinition* after, const TableDdl& tables,
                       DdlPhases& out) {
    const auto add = [&](const StatisticsDefinition& statistics, DdlPhase phase, DdlKind kind, std::string text) {
        DerivedStatement statement{kind, std::move(text)};
        statement.object = fmt::format("statistics '{}.{}'", statistics.schema, statistics.name);
        statement.table = {statistics.table.schema, statistics.table.name};
        statement.drops = after == nullptr;
        statement.creates = before == nullptr;
        statement.absent = fmt::format(
            "NOT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext WHERE stxname = {} AND stxnamespace = "
            "pg_catalog.to_regnamespace({}))",
            sql::quote_literal(statistics.name), sql::quote_literal(quote_identifier(statistics.schema)));
        out.add(phase, std::move(statement));
    };
    const auto quoted = [](const StatisticsDefinition& s) { return sql::quote_qualified(s.schema, s.name); };
    if (after == nullptr) {
        if (!tables.drops(before->table.oid))
            add(*before, DdlPhase::drop_dependents, DdlKind::statistics, "DROP STATISTICS " + quoted(*before));
        return;
    }
    if (before == nullptr) {
        add(*after, DdlPhase::indexes, DdlKind::statistics, create_statistics_text(*after));
    } else {
        StatisticsDefinition now = *before;
        now.table = after->table;
        if (now.schema != after->schema) {
            add(now, DdlPhase::indexes, DdlKind::statistics,
                fmt::format("ALTER STATISTICS {} SET SCHEMA {}", quoted(now), quote_identifier(after->schema)));
            now.schema = after->schema;
        }
        if (now.name != after->name)
            add(now, DdlPhase::indexes, DdlKind::statistics,
                fmt::format("ALTER STATISTICS {} RENAME TO {}", quoted(now), quote_identifier(after->name)));
    }
    if ((before == nullptr ? "" : before->comment) != after->comment)
        add(*after, DdlPhase::comments, DdlKind::comment,
            fmt::format("COMMENT ON STATISTICS {} IS {}", quoted(*after), comment_text(after->comment)));
}

}  // namespace pgsluice
