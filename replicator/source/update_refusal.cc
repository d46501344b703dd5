#include "replicator/source/update_refusal.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/quote.h"
#include "stream/full_name.h"

namespace pgsluice {

namespace {

// PostgreSQL 18 can publish generated columns, and since then refuses when one is in the identity and is not published
// (CheckCmdReplicaIdentity).
constexpr int refuses_unpublished_columns = 180000;

}  // namespace

std::string update_refusal(const sql::CatalogTable& table, std::span<const sql::CatalogColumn> columns,
                           int server_version) {
    const auto has = [&](auto what) { return std::ranges::any_of(columns, what); };
    const std::string quoted = sql::quote_qualified(table.schema, table.name);
    const std::string name = full_name(table);
    if (table.replica_identity != 'f' && !has([](const auto& column) { return column.key; })) {
        return fmt::format(
            "table '{}' has no replica identity: while it is published, the source refuses UPDATE and DELETE on it; "
            "give it a primary key or run ALTER TABLE {} REPLICA IDENTITY FULL",
            name, quoted);
    }
    const auto generated =
        std::ranges::find_if(columns, [](const auto& column) { return column.key && column.generated != '\0'; });
    if (server_version < refuses_unpublished_columns || generated == columns.end()) return {};
    const bool may_use_key = table.replica_identity != 'd' &&
                             has([](const auto& column) { return column.primary_key; }) &&
                             !has([](const auto& column) { return column.primary_key && column.generated != '\0'; });
    return fmt::format(
        "table '{}' has the generated column '{}' in its replica identity, and generated columns are not published: "
        "while the table is published, the source refuses UPDATE and DELETE on it; {}",
        name, generated->name,
        may_use_key ? fmt::format("run ALTER TABLE {} REPLICA IDENTITY DEFAULT", quoted)
                    : "make a unique index on columns that are NOT NULL and not generated, and run ALTER TABLE " +
                          quoted + " REPLICA IDENTITY USING INDEX with it");
}

}  // namespace pgsluice
