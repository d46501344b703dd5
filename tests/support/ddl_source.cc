#include "tests/support/ddl_source.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>

#include "sql/quote.h"
#include "tests/support/postgres_server.h"

namespace pgsluice::test {

namespace {

std::string new_group() {
    static std::atomic<int> number{0};
    return fmt::format("ddl{}_{}", ++number, ::getpid());
}

ddl::Scope scope_of(const std::string& group, const std::string& joining) {
    return {sql::quote_literal(group),
            sql::quote_literal("pgsluice_" + group),
            joining,
            sql::quote_literal("pgsluice.ddl/" + group + "/"),
            sql::quote_literal("pgsluice_" + group),
            group};
}

std::string install(const ddl::Scope& scope, int server_version) {
    std::string out =
        "CREATE SCHEMA pgsluice; CREATE TABLE pgsluice.ddl_event (\"group\" text, id text, xid xid8 NOT NULL, "
        "digest bytea NOT NULL, PRIMARY KEY (\"group\", id)); ";
    out += ddl::make_tables;
    for (const auto& function : ddl::functions(scope, server_version)) out += "; " + ddl::create_statement(function);
    return out + "; " + ddl::trigger_statements(scope);
}

constexpr const char* in_short = R"(
SELECT (m ->> 'tag') || ': ' || string_agg(
    (o.o ->> 'class') || ' ' || coalesce(e.e ->> 'schema' || '.', '') || (e.e ->> 'name') || ' ' || CASE
        WHEN o.o -> 'after' = 'null' THEN 'gone'
        WHEN o.o -> 'before' = 'null' THEN 'new'
        WHEN o.o -> 'before' = o.o -> 'after' THEN 'same'
        ELSE 'changed ' || coalesce((
            SELECT string_agg(k, ',' ORDER BY k)
            FROM (SELECT k FROM jsonb_object_keys(o.o -> 'before') k UNION SELECT k FROM jsonb_object_keys(o.o -> 'after') k) k
            WHERE o.o -> 'before' -> k IS DISTINCT FROM o.o -> 'after' -> k), '') END
    || CASE WHEN o.o ? 'rewritten' THEN ' rewritten ' || (o.o ->> 'rewritten') ELSE '' END
    || CASE WHEN o.o ? 'conversion' THEN ' by ' || (o.o ->> 'conversion') ELSE '' END
    || CASE WHEN o.o ? 'unknown' THEN ' unknown' ELSE '' END, '; ' ORDER BY o.place)
FROM (SELECT $1::jsonb AS m) m, jsonb_array_elements(m -> 'objects') WITH ORDINALITY o(o, place),
LATERAL (SELECT coalesce(nullif(o.o -> 'after', 'null'), o.o -> 'before') AS e) e GROUP BY m)";

}  // namespace

DdlSource::DdlSource(const std::string& before, const std::string& joining, const std::string& published)
    : database_(shared_postgres().create_database()),
      scope_(scope_of(new_group(), joining)),
      session_(connect()),
      reader_(shared_postgres().connect(database_)) {
    slot_ = "read_" + scope_.suffix;
    if (!before.empty()) run(before);
    run("CREATE PUBLICATION pgsluice_" + scope_.suffix + (published.empty() ? "" : " FOR TABLE ONLY " + published));
    run(install(scope_, session_.server_version()));
    fill();
    reader_.query("SELECT pg_create_logical_replication_slot($1, 'test_decoding')", {sql::Param(slot_)}, {1});
}

DdlSource::~DdlSource() { shared_postgres().drop_slot(database_, slot_); }

std::string DdlSource::scalar(const std::string& query) { return shared_postgres().scalar(database_, query); }

sql::Connection DdlSource::connect() const {
    sql::Connection connection(shared_postgres().connect(database_));
    connection.exec("SET search_path = public");
    return connection;
}

void DdlSource::fill() {
    const std::string fill = "SELECT pgsluice.fill_ddl_" + scope_.suffix + "(100)";
    while (session_.query(fill, {}, {1, 1, 1}).integer(0, 0) > 0) {
    }
}

std::vector<std::string> DdlSource::messages() {
    const auto found = reader_.query(
        "SELECT substr(data, strpos(data, 'content:') + 8) FROM pg_logical_slot_get_changes($1, NULL, NULL) "
        "WHERE data LIKE 'message: transactional: 1 prefix: pgsluice.ddl/%'",
        {sql::Param(slot_)}, {1});
    std::vector<std::string> contents;
    for (int row = 0; row < found.rows(); ++row) contents.push_back(found.text(row, 0));
    return contents;
}

std::vector<std::string> DdlSource::said() {
    std::vector<std::string> all;
    for (const std::string& content : messages())
        all.push_back(reader_.query(in_short, {sql::Param(content)}, {1, 1, 1}).text(0, 0));
    return all;
}

std::string DdlSource::json(const std::string& message, const std::string& path) {
    const std::string where = "{" + path + "}";
    const auto found = reader_.query("SELECT coalesce($1::jsonb #>> $2::text[], '')",
                                     {sql::Param(message), sql::Param(where)}, {1, 1, 1});
    return found.text(0, 0);
}

}  // namespace pgsluice::test
