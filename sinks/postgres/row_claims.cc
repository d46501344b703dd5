#include "sinks/postgres/row_claims.h"

#include <fmt/format.h>

#include "sinks/postgres/array.h"
#include "sinks/postgres/own_rows.h"
#include "sql/error.h"
#include "sql/quote.h"

namespace pgsluice {

void RowClaims::claim(const std::vector<const Relation*>& relations) {
    std::vector<std::string> fresh;
    for (const Relation* relation : relations) {
        if (relation->keeping.constants.empty()) continue;
        std::string place = OwnRows::of(mappings_.at(*relation)->table.name, *relation).text();
        if (held_.insert(place).second) fresh.push_back(std::move(place));
    }
    if (fresh.empty()) return;
    const std::string places = text_array(fresh);
    // Two statements: the second sees what another worker committed while the first waited for it.
    session_.connection.query(
        "INSERT INTO pgsluice.own_rows (place, \"group\", worker) SELECT p, $1, $2 FROM "
        "pg_catalog.unnest($3::pg_catalog.text[]) AS p ON CONFLICT DO NOTHING",
        {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(places)}, {0});
    require_ours(places);
}

void RowClaims::require_ours(const std::string& places) {
    const auto other = session_.connection.query(
        "SELECT place, \"group\", worker FROM pgsluice.own_rows WHERE place = ANY ($3::pg_catalog.text[]) AND "
        "(\"group\", worker) IS DISTINCT FROM ($1, $2) ORDER BY 1 LIMIT 1",
        {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(places)}, {3});
    if (other.rows() == 0) return;
    throw stop_error(
        fmt::format("unable to write rows of {}: they belong to worker '{}' of group '{}'", other.text(0, 0),
                    other.text(0, 2), other.text(0, 1)),
        fmt::format(
            "Give each source values of its own in 'columns' of the routing file. If that worker is gone and "
            "this one is to take over its rows, run on the target: DELETE FROM pgsluice.own_rows WHERE place = {};",
            sql::quote_literal(other.text(0, 0))));
}

}  // namespace pgsluice
