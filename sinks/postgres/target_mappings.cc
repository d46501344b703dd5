#include "sinks/postgres/target_mappings.h"

#include <fmt/format.h>

#include <utility>

#include "sql/error.h"
#include "sql/own_schema.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

void require_history(const Relation& relation, const TargetTable& table) {
    if (relation.keeping.mode != Keeping::Mode::history) return;
    const HistoryColumns& history = relation.keeping.history;
    for (const std::string& name : {history.valid_from, history.valid_to, history.deleted}) {
        if (table.find(name) != nullptr) continue;
        throw stop_error(
            fmt::format("unable to keep the history of '{}.{}': the target's table has no column '{}'", table.schema,
                        table.table, name),
            fmt::format(
                "Run on the target: ALTER TABLE {0} ADD COLUMN IF NOT EXISTS {1} timestamptz NOT NULL DEFAULT "
                "now(), ADD COLUMN IF NOT EXISTS {2} timestamptz NOT NULL DEFAULT {3}, ADD COLUMN IF NOT EXISTS "
                "{4} boolean NOT NULL DEFAULT false; and make no key of it that does not hold {1}. Or let "
                "--target-sync-schema make the table.",
                table.name, sql::quote_identifier(history.valid_from), sql::quote_identifier(history.valid_to),
                sql::quote_literal(history.open), sql::quote_identifier(history.deleted)));
    }
}

}  // namespace

const std::shared_ptr<TargetMapping>& TargetMappings::at(const Relation& relation) {
    return mappings_.at(relation, [&] {
        // A replay's own marks have no table of the source.
        if (relation.schema == own_schema && relation.oid != 0) refuse_own_schema(relation.table);
        TargetTable table = load_target_table(connection_, relation.schema, relation.table);
        missing_.resolve(relation, table);
        lossy_.warn(relation, table);
        require_history(relation, table);
        return std::make_shared<TargetMapping>(relation, std::move(table));
    });
}

}  // namespace pgsluice
