#include "tests/support/ddl_pair.h"

#include <fmt/format.h>

#include "sql/error.h"
#include "stream/definition/definition_message.h"
#include "stream/format/ddl_message.h"
#include "tests/support/ddl_state.h"
#include "tests/support/postgres_server.h"

namespace pgsluice::test {

namespace {

constexpr const char* joining = "n.nspname LIKE 'f%'";

}  // namespace

DdlPair::DdlPair() : source_("", joining), target_(shared_postgres().create_database()) {
    options_.target = shared_postgres().connect(target_);
    options_.target.role = "target";
    options_.group = "g";
    options_.worker = "postgres";
    sink_ = make_postgres_sink(options_, [this](LogLevel, std::string_view line) { log_.emplace_back(line); }, {});
    sink_->open();
}

void DdlPair::on_target(const std::string& statements) { shared_postgres().sql(target_, statements); }

std::string DdlPair::apply(bool convert) {
    log_.clear();
    bool copies = false;
    for (const std::string& content : source_.messages()) {
        DefinitionMessage message = decode_definitions(content);
        for (DefinitionChange& change : message.objects) {
            change.recopy = change.rewritten != 0 && !convert;
            copies = copies || change.recopy || (!change.before && class_of(change) == "table");
        }
        feed_.message(ddl_message_prefix, encode(message));
        try {
            sink_->apply(feed_.complete());
        } catch (const Error& error) {
            return error.what();
        }
    }
    if (copies) copy_rows();
    return "";
}

void DdlPair::copy_rows() {
    for (const std::string& table : ddl_tables(shared_postgres(), target_)) copy_table(table);
}

void DdlPair::copy_table(const std::string& table) {
    PostgresServer& server = shared_postgres();
    const std::string columns = server.scalar(
        target_,
        "SELECT coalesce(string_agg(quote_ident(attname), ',' ORDER BY attnum), '') FROM pg_attribute WHERE "
        "attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attrelid = '" +
            table + "'::regclass");
    if (columns.empty()) return;
    const std::string rows = source_.scalar(fmt::format(
        "SELECT coalesce(string_agg('(' || v || ')', ','), '') FROM (SELECT (SELECT string_agg(quote_nullable(value), "
        "', ' ORDER BY o) FROM unnest(ARRAY[{}]) WITH ORDINALITY u(value, o)) AS v FROM ONLY {}) x",
        "(" +
            [&] {
                std::string texts = columns;
                for (std::size_t at = 0; (at = texts.find(',', at)) != std::string::npos; at += 9)
                    texts.replace(at, 1, ")::text,(");
                return texts;
            }() +
            ")::text",
        table));
    server.sql(target_,
               fmt::format("SET session_replication_role = replica; DELETE FROM ONLY {}{}", table,
                           rows.empty() ? ""
                                        : fmt::format("; INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES {}", table,
                                                      columns, rows)));
}

std::vector<std::string> DdlPair::source_state() { return ddl_state(shared_postgres(), source_.database()); }
std::vector<std::string> DdlPair::target_state() { return ddl_state(shared_postgres(), target_); }

}  // namespace pgsluice::test
