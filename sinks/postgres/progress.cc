#include "sinks/postgres/progress.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>

#include "sinks/kept_stream.h"
#include "sinks/postgres/array.h"
#include "sql/owned_objects.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* lock_key = "hashtextextended('pgsluice/' || $1 || '/' || $2, 0)";

// resume_seq 0: nothing has been applied yet. `loaded` holds one row per transaction of a loader.
constexpr const char* create_statements =
    "CREATE TABLE IF NOT EXISTS pgsluice.progress ("
    "  \"group\" text, worker text, resume_seq bigint NOT NULL DEFAULT 0,"
    "  position_lsn pg_lsn NOT NULL DEFAULT '0/0', position_ordinal bigint NOT NULL DEFAULT 0,"
    "  loading_epoch bigint NOT NULL DEFAULT 0, begin_seq bigint NOT NULL DEFAULT 0,"
    "  loading_tables text[] NOT NULL DEFAULT '{}', owner uuid, updated_at timestamptz NOT NULL DEFAULT now(),"
    "  stream text NOT NULL DEFAULT '', existing_rows text NOT NULL DEFAULT '',"
    "  schema_upto pg_lsn NOT NULL DEFAULT '0/0',"
    "  PRIMARY KEY (\"group\", worker)) WITH (fillfactor = 20);"
    "ALTER TABLE pgsluice.progress ADD COLUMN IF NOT EXISTS schema_upto pg_lsn NOT NULL DEFAULT '0/0';"
    "CREATE TABLE IF NOT EXISTS pgsluice.loaded ("
    "  \"group\" text NOT NULL, worker text NOT NULL, epoch bigint NOT NULL, last_seq bigint NOT NULL,"
    "  first_seqs bigint[] NOT NULL);"
    "CREATE TABLE IF NOT EXISTS pgsluice.unfinished ("
    "  \"group\" text NOT NULL, worker text NOT NULL, source_oid oid NOT NULL, schema text NOT NULL,"
    "  \"table\" text NOT NULL);"
    "CREATE TABLE IF NOT EXISTS pgsluice.parked ("
    "  \"group\" text, worker text, position text, PRIMARY KEY (\"group\", worker, position));"
    // Added later than the table. 0 and '': not known, so that every new copy voids the letter.
    "ALTER TABLE pgsluice.parked ADD COLUMN IF NOT EXISTS source_oid oid NOT NULL DEFAULT 0,"
    "  ADD COLUMN IF NOT EXISTS \"table\" text NOT NULL DEFAULT '';"
    // Younger than the table, too. What the last snapshot to begin did with rows that were there; empty: not known.
    "ALTER TABLE pgsluice.progress ADD COLUMN IF NOT EXISTS existing_rows text NOT NULL DEFAULT '';"
    "CREATE TABLE IF NOT EXISTS pgsluice.rules ("
    "  \"group\" text, worker text, source_oid oid, rules text NOT NULL,"
    "  PRIMARY KEY (\"group\", worker, source_oid));"
    "CREATE TABLE IF NOT EXISTS pgsluice.written ("
    "  \"group\" text, worker text, \"table\" text, PRIMARY KEY (\"group\", worker, \"table\"));"
    "CREATE TABLE IF NOT EXISTS pgsluice.sequences ("
    "  \"group\" text, worker text, sequence text, exact bigint NOT NULL, ahead bigint NOT NULL,"
    "  PRIMARY KEY (\"group\", worker, sequence));"
    "CREATE TABLE IF NOT EXISTS pgsluice.index_builds ("
    "  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \"group\" text NOT NULL, worker text NOT NULL,"
    "  schema text NOT NULL, \"table\" text NOT NULL, name text NOT NULL, definition text NOT NULL,"
    "  position text NOT NULL, number bigint NOT NULL);"
    // Of class 'table' whose rows a copy is to bring, of class 'key' foreign keys to check then.
    "CREATE TABLE IF NOT EXISTS pgsluice.unchecked ("
    "  \"group\" text, worker text, class text, oid oid, PRIMARY KEY (\"group\", worker, class, oid));"
    "CREATE TABLE IF NOT EXISTS pgsluice.own_rows ("
    "  place text PRIMARY KEY, \"group\" text NOT NULL, worker text NOT NULL);";

// The row that says that the worker has something here is the first.
const std::vector<std::string> own_tables{"progress", "loaded",    "unfinished",   "parked",    "written",
                                          "rules",    "sequences", "index_builds", "unchecked", "own_rows"};

const std::string exist_query = fmt::format(
    "SELECT bool_and(to_regclass('pgsluice.' || name) IS NOT NULL) "
    "  AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('pgsluice.parked') AND attname = 'table') "
    "  AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('pgsluice.progress') AND attname = "
    "    'existing_rows') "
    "  AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('pgsluice.progress') AND attname = "
    "    'schema_upto') "
    "FROM unnest('{{{}}}'::text[]) AS name",
    fmt::join(own_tables, ","));

std::string number(std::uint64_t value) { return std::to_string(value); }

Error may_not_create(sql::Connection& connection, std::string_view why) {
    const auto names = connection.query(
        "SELECT pg_catalog.quote_ident(current_user), pg_catalog.quote_ident(pg_catalog.current_database())", {},
        {2, 1, 1});
    return stop_error(fmt::format("unable to create schema 'pgsluice' on the target: {}", why),
                      fmt::format("As a superuser, run on the target: GRANT CREATE ON DATABASE {1} TO {0}; or CREATE "
                                  "SCHEMA pgsluice AUTHORIZATION {0};",
                                  names.text(0, 0), names.text(0, 1)));
}

}  // namespace

PostgresProgress::PostgresProgress(sql::Connection& connection, std::string group, std::string worker)
    : connection_(connection), group_(std::move(group)), worker_(std::move(worker)) {}

void PostgresProgress::require_owned(sql::Connection& connection) {
    sql::require_owned(connection, {"pgsluice", own_tables});
}

void PostgresProgress::check_creatable(sql::Connection& connection) {
    require_owned(connection);
    if (connection.query(exist_query, {}, {1, 1, 1}).boolean(0, 0)) return;
    const auto may = connection.query(
        "SELECT CASE WHEN to_regnamespace('pgsluice') IS NULL THEN has_database_privilege(current_database(), "
        "'CREATE') ELSE has_schema_privilege('pgsluice', 'CREATE') END, to_regnamespace('pgsluice') IS NULL",
        {}, {2, 1, 1});
    if (may.boolean(0, 0)) return;
    throw may_not_create(connection, may.boolean(0, 1) ? "the role may not create in the database"
                                                       : "the role may not create in that schema");
}

void PostgresProgress::erase(sql::Connection& connection, const std::string& group, const std::string& worker) {
    for (auto table = own_tables.rbegin(); table != own_tables.rend(); ++table) {
        const std::string name = "pgsluice." + *table;
        if (!connection.query("SELECT to_regclass($1) IS NOT NULL", {name}, {1, 1, 1}).boolean(0, 0)) continue;
        connection.query("DELETE FROM " + name + " WHERE \"group\" = $1 AND worker = $2",
                         {sql::Param(group), sql::Param(worker)}, {0});
    }
}

void PostgresProgress::create_tables() {
    require_owned(connection_);
    if (connection_.query(exist_query, {}, {1, 1, 1}).boolean(0, 0)) return;
    // IF NOT EXISTS alone does not survive two sessions at once.
    connection_.exec("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('pgsluice', 0))");
    try {
        // IF NOT EXISTS would ask for the right to create a schema, even where this one exists.
        if (!connection_.query("SELECT to_regnamespace('pgsluice') IS NOT NULL", {}, {1, 1, 1}).boolean(0, 0))
            connection_.exec("CREATE SCHEMA pgsluice");
        connection_.exec(create_statements);
        require_owned(connection_);
    } catch (const SqlError& error) {
        if (error.sqlstate() != "42501") throw;
        connection_.exec("ROLLBACK");
        throw may_not_create(connection_, error.what());
    }
    connection_.exec("COMMIT");
}

void PostgresProgress::lock(int wait_ms) {
    const auto deadline = Clock::now() + std::chrono::milliseconds(wait_ms);
    const std::string attempt = fmt::format("SELECT pg_try_advisory_lock({})", lock_key);
    while (!connection_.query(attempt, {group_, worker_}, {1, 1, 1}).boolean(0, 0)) {
        if (Clock::now() < deadline) {
            connection_.wait(false, 100);
            continue;
        }
        const auto holder = connection_.query(
            fmt::format("SELECT l.pid, coalesce(a.client_addr::text, 'local'), a.backend_start::timestamp(0) FROM "
                        "pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND "
                        "l.granted AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database WHERE datname = "
                        "current_database()) AND (l.classid::bigint << 32) + l.objid::bigint = {}",
                        lock_key),
            {group_, worker_}, {3});
        const std::string who = holder.rows() == 0
                                    ? "another session"
                                    : fmt::format("pid {} (from {}, connected since {})", holder.text(0, 0),
                                                  holder.text(0, 1), std::string(holder.get(0, 2).value_or("?")));
        throw retry_error(
            fmt::format("unable to lock worker '{}' of group '{}' on the target: held by {}", worker_, group_, who),
            "Another worker of this name is running; stop it, or give this one its own --worker-name.");
    }
}

std::optional<SinkState> PostgresProgress::open(int lock_wait_ms) {
    create_tables();
    lock(lock_wait_ms);
    connection_.exec("BEGIN; SET LOCAL synchronous_commit = on");
    connection_.query("INSERT INTO pgsluice.progress (\"group\", worker) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                      {group_, worker_}, {0});
    // FOR UPDATE waits for loaders of a dead session that are still committing.
    connection_.query("SELECT 1 FROM pgsluice.progress WHERE \"group\" = $1 AND worker = $2 FOR UPDATE",
                      {group_, worker_}, {1, 1, 1});
    const auto row = connection_.query(
        "UPDATE pgsluice.progress SET owner = gen_random_uuid() WHERE \"group\" = $1 AND worker = $2 RETURNING owner, "
        "resume_seq, position_lsn, position_ordinal, loading_epoch, begin_seq, stream, existing_rows, schema_upto",
        {group_, worker_}, {9, 1, 1});
    connection_.exec("COMMIT");
    owner_ = row.text(0, 0);
    const auto unsigned_at = [&](int column) { return static_cast<std::uint64_t>(row.integer(0, column)); };
    state_.checkpoint.resume_seq.value = unsigned_at(1);
    state_.checkpoint.position = {parse_lsn(row.text(0, 2)).value_or(Lsn{}), unsigned_at(3)};
    state_.loading_epoch = unsigned_at(4);
    state_.begin_seq.value = unsigned_at(5);
    stream_ = row.text(0, 6);
    existing_rows_ = row.text(0, 7);
    schema_upto_ = parse_lsn(row.text(0, 8)).value_or(Lsn{});
    if (state_.checkpoint.resume_seq.value == 0) return std::nullopt;
    return state_;
}

void PostgresProgress::note_schema(sql::Connection& other, Lsn upto) {
    other.query(
        "UPDATE pgsluice.progress SET schema_upto = $4::pg_lsn WHERE \"group\" = $1 AND worker = $2 AND owner = "
        "$3::uuid",
        {group_, worker_, owner_, to_string(upto)}, {0});
    schema_upto_ = upto;
}

std::string PostgresProgress::move_statement() {
    return "WITH u AS (UPDATE pgsluice.progress SET resume_seq = $1::bigint, position_lsn = $2::pg_lsn, "
           "position_ordinal = $3::bigint, loading_epoch = $4::bigint, begin_seq = $5::bigint, stream = "
           "$12::text, updated_at = clock_timestamp() WHERE \"group\" = $6::text AND worker = $7::text AND owner = "
           "$8::uuid AND resume_seq = "
           "$9::bigint AND position_lsn = $10::pg_lsn AND position_ordinal = $11::bigint RETURNING 1) "
           "SELECT 1 / count(*) FROM u";
}

std::vector<std::string> PostgresProgress::move_parameters(const SinkState& next) const {
    const Checkpoint& to = next.checkpoint;
    const Checkpoint& from = state_.checkpoint;
    return {number(to.resume_seq.value),
            to_string(to.position.commit),
            number(to.position.ordinal),
            number(next.loading_epoch),
            number(next.begin_seq.value),
            group_,
            worker_,
            owner_,
            number(from.resume_seq.value),
            to_string(from.position.commit),
            number(from.position.ordinal),
            stream_};
}

bool PostgresProgress::has_moved(sql::Connection& connection, const std::string& group, const std::string& worker) {
    return connection.query("SELECT to_regclass('pgsluice.progress') IS NOT NULL", {}, {1, 1, 1}).boolean(0, 0) &&
           connection
                   .query("SELECT FROM pgsluice.progress WHERE \"group\" = $1 AND worker = $2 AND resume_seq > 0",
                          {group, worker}, {0})
                   .rows() == 1;
}

SinkState PostgresProgress::at(const Checkpoint& checkpoint) const {
    SinkState state = state_;
    state.checkpoint = checkpoint;
    return state;
}

bool PostgresProgress::reads(const std::string& stream) { return keep_stream(stream_, stream); }

Error PostgresProgress::stolen() const {
    return stop_error(
        fmt::format("unable to move the progress of worker '{}' of group '{}': a second worker wrote to this target",
                    worker_, group_),
        "Only one worker of a name may run; stop the other one, or give this one its own --worker-name.");
}

void PostgresProgress::move(const SinkState& next) {
    const auto texts = move_parameters(next);
    const std::vector<sql::Param> params(texts.begin(), texts.end());
    try {
        connection_.query(move_statement(), params, {1, 1, 1});
    } catch (const SqlError& error) {
        if (error.sqlstate() == "22012") throw stolen();
        throw;
    }
}

std::set<std::uint64_t> PostgresProgress::loaded() {
    const auto rows = connection_.query(
        "SELECT unnest(first_seqs) FROM pgsluice.loaded WHERE \"group\" = $1 AND worker = $2 AND epoch = $3::bigint",
        {group_, worker_, number(state_.loading_epoch)}, {1});
    std::set<std::uint64_t> seqs;
    for (int row = 0; row < rows.rows(); ++row) seqs.insert(static_cast<std::uint64_t>(rows.integer(row, 0)));
    return seqs;
}

std::map<std::uint64_t, LoadedRange> PostgresProgress::loaded_ranges() {
    const auto found = connection_.query(
        "SELECT first_seqs[1], first_seqs[2], first_seqs[3] FROM pgsluice.loaded WHERE \"group\" = $1 AND worker = $2 "
        "AND epoch = $3::bigint AND last_seq >= $4::bigint",
        {group_, worker_, number(state_.loading_epoch), number(LoadedRange::first_number)}, {3});
    std::map<std::uint64_t, LoadedRange> ranges;
    for (int row = 0; row < found.rows(); ++row) {
        const auto value = [&](int column) { return static_cast<std::uint64_t>(found.integer(row, column)); };
        ranges[value(0)] = {value(1), value(2)};
    }
    return ranges;
}

void PostgresProgress::fence(sql::Connection& loader, const PostgresProgress& progress) {
    // KEY SHARE lets the main connection move the row, but not a new owner take it.
    const auto ours = loader.query(
        "SELECT 1 FROM pgsluice.progress WHERE \"group\" = $1 AND worker = $2 AND owner = $3::uuid FOR KEY SHARE",
        {progress.group_, progress.worker_, progress.owner_}, {1, 0, 1});
    if (ours.rows() == 0) throw progress.stolen();
}

void PostgresProgress::record_loaded(sql::Connection& loader, const PostgresProgress& progress, std::uint64_t epoch,
                                     const std::vector<std::uint64_t>& first_seqs) {
    std::uint64_t last = 0;
    std::string array = "{";
    for (const std::uint64_t seq : first_seqs) {
        last = std::max(last, seq);
        array += (array.size() > 1 ? "," : "") + number(seq);
    }
    array += "}";
    loader.query("INSERT INTO pgsluice.loaded VALUES ($1, $2, $3::bigint, $4::bigint, $5::bigint[])",
                 {progress.group_, progress.worker_, number(epoch), number(last), array}, {0});
}

void PostgresProgress::forget_loaded(std::optional<StreamSeq> before) {
    const std::string limit = before ? number(before->value) : "9223372036854775807";
    connection_.query("DELETE FROM pgsluice.loaded WHERE \"group\" = $1 AND worker = $2 AND last_seq < $3::bigint",
                      {group_, worker_, limit}, {0});
}

std::vector<std::string> PostgresProgress::loading_tables() {
    return connection_
        .query("SELECT unnest(loading_tables) FROM pgsluice.progress WHERE \"group\" = $1 AND worker = $2",
               {group_, worker_}, {1})
        .texts(0);
}

void PostgresProgress::set_loading_tables(const std::vector<std::string>& tables) {
    connection_.query("UPDATE pgsluice.progress SET loading_tables = $3::text[] WHERE \"group\" = $1 AND worker = $2",
                      {group_, worker_, text_array(tables)}, {0});
}

void PostgresProgress::set_existing_rows(std::string_view what) {
    connection_.query("UPDATE pgsluice.progress SET existing_rows = $3 WHERE \"group\" = $1 AND worker = $2",
                      {group_, worker_, what}, {0});
    existing_rows_ = what;
}

}  // namespace pgsluice
