#include "cmd/check/target/target.h"

#include <fmt/format.h>

#include <set>

#include "cmd/check/sides.h"
#include "cmd/check/target/columns.h"
#include "cmd/check/target/rights.h"
#include "cmd/check/target/rows.h"
#include "rules/computed_types.h"
#include "sinks/postgres/missing_columns.h"
#include "sinks/postgres/origins.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/rights/target_owner.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

void look_at_server(PostgresSession& session, Findings& found) {
    sql::Connection& connection = session.connection;
    const auto about = connection.query(
        "SELECT current_setting('server_version'), current_user, pg_is_in_recovery(), "
        "current_setting('transaction_read_only') = 'on'",
        {}, {4, 1, 1});
    found.ok(fmt::format("connected to '{}' as '{}', without a pooler that shares sessions: PostgreSQL {}",
                         sql::describe(connection.options()), about.text(0, 1), about.text(0, 0)));
    if (about.boolean(0, 2) || about.boolean(0, 3))
        found.fail(fmt::format("unable to write to the target '{}': {}", sql::describe(connection.options()),
                               about.boolean(0, 2) ? "it is a standby" : "its transactions are read-only"),
                   "The database must be a primary that may be written to: connect to the primary, or set "
                   "default_transaction_read_only to off.");
    found.ok(replication_role_text(session.replica));
}

// What the worker makes for itself, and whom what it makes for others belongs to.
void look_at_own_objects(const PostgresSinkOptions& options, sql::Connection& connection, Findings& found) {
    if (found.attempt([&](const Log&) { PostgresProgress::check_creatable(connection); }))
        found.ok("schema 'pgsluice' is there, or can be made");
    found.attempt([&](const Log&) { require_target_owner(connection, options); });
    if (options.sync_schema) found.attempt([&](const Log& log) { warn_of_rights(connection, options, log); });
}

// Nothing when it is not there.
std::optional<TargetTable> look_for(const Relation& wanted, const PostgresSinkOptions& options,
                                    sql::Connection& connection, Findings& found) {
    std::optional<TargetTable> table;
    found.attempt([&](const Log&) {
        table = options.sync_schema ? find_target_table(connection, wanted.schema, wanted.table)
                                    : load_target_table(connection, wanted.schema, wanted.table);
    });
    return table;
}

class Tables {
   public:
    Tables(const Settings& settings, CheckedSource& source, PostgresSession& session, Findings& found)
        : options_(settings.postgres),
          copies_(settings.replicator.mode != ReplicatorMode::stream),
          source_(source),
          session_(session),
          found_(found) {}

    void look(const DeliveredTables& delivered) {
        for (const DeliveredTable& each : delivered.tables) {
            const auto table = look_for(*each.rules->target(), options_, session_.connection, found_);
            if (table)
                look_at(each, *table);
            else
                missing_.insert(each.rules->target()->schema);
        }
        if (!mappings_.empty()) look_at_all();
        const std::size_t missing = delivered.tables.size() - mappings_.size();
        if (!options_.sync_schema || missing == 0) return;
        look_at_making(missing_, options_.target_owner, session_.connection, found_);
        found_.ok(fmt::format("{} tables are not there and would be made (--target-sync-schema)", missing));
    }

   private:
    void look_at(const DeliveredTable& each, const TargetTable& table) {
        const Relation& relation = *each.rules->target();
        MissingColumns missing(session_.connection, options_.on_missing_column, silent_log);
        for (const Error& fault : missing.faults(relation, table)) found_.fail(fault.what(), fault.hint());
        found_.attempt([&](const Log&) { rules::check_computed_types(*each.rules, type_names_of(table)); });
        look_at_columns(each, table, source_.connection ? &*source_.connection : nullptr, session_.connection, found_);
        const TargetMapping& mapping = mappings_.emplace_back(relation, table);
        look_at_match(mapping, found_);
        found_.attempt(
            [&](const Log&) { check_code_on(session_.connection, written_table(mapping), session_.replica); });
    }

    void look_at_all() {
        found_.attempt([&](const Log&) { look_at_table_rights(mappings_, session_.connection, found_); });
        found_.attempt([&](const Log&) { look_at_what_fires(mappings_, session_, found_); });
        if (copies_ && options_.existing_rows != ExistingRows::truncate)
            found_.attempt([&](const Log&) { look_at_rows(mappings_, options_, session_, found_); });
        found_.ok(fmt::format("{} tables are there", mappings_.size()));
    }

    const PostgresSinkOptions& options_;
    const bool copies_;
    CheckedSource& source_;
    PostgresSession& session_;
    Findings& found_;
    std::vector<TargetMapping> mappings_;
    std::set<std::string> missing_;  // schemas of tables that are not there
};

}  // namespace

std::vector<CheckFinding> look_at_target(const Settings& settings, CheckedSource& source,
                                         const DeliveredTables& delivered, std::optional<PostgresSession>& session,
                                         const std::stop_token& stop) {
    Findings found("target");
    const PostgresSinkOptions& options = settings.postgres;
    if (!checks_worker(settings)) {
        found.skipped(
            is_given(options.target)
                ? "not checked (--side replicator)"
                : "not checked, for none is given (--target-url, or --target-host, --target-dbname and so on)");
        return found.take();
    }
    if (!found.attempt([&](const Log&) { session.emplace(open_session(options, stop)); })) {
        found.skipped("all else that is needed of it, for there is no session");
        return found.take();
    }
    const auto look = [&](const std::function<void()>& check) { found.attempt([&](const Log&) { check(); }); };
    look([&] { look_at_server(*session, found); });
    look([&] { look_at_own_objects(options, session->connection, found); });
    look([&] { look_at_marking(options, session->connection, found); });
    if (delivered.known)
        look([&] { Tables(settings, source, *session, found).look(delivered); });
    else
        found.skipped(
            "its tables, for those of the source are not known: give the source, or start the replicator first");
    return found.take();
}

}  // namespace pgsluice
