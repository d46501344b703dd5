#include "tests/crash/table_changes.h"

#include <array>
#include <csignal>
#include <regex>

#include <doctest/doctest.h>

#include "sql/error.h"

namespace pgsluice::test {
namespace {

constexpr const char* columns = " (id int PRIMARY KEY, v text)";
constexpr const char* keyless = "CREATE TABLE c2 (id int, v text); ALTER TABLE c2 REPLICA IDENTITY FULL";

constexpr std::array replicator_places = {"after-record",       "after-record:2",  "after-publication",
                                          "before-added-copy",  "copy-published",  "before-snapshot-end",
                                          "after-snapshot-end", "after-added-copy"};
constexpr std::array worker_places = {"postgres-load-after-commit", "snapshot-end-applied", "after-apply:3"};

std::string bounds(int partition) {
    return " FOR VALUES FROM (" + std::to_string(partition * 1000) + ") TO (" +
           std::to_string(partition * 1000 + 1000) + ")";
}

// In order, or at a failpoint on the way out, or before it has begun to listen for signals.
void end(Process& process) {
    process.signal(SIGTERM);
    const int code = process.wait(std::chrono::seconds(60));
    INFO("its messages:\n" << process.err());
    CHECK((code == 0 || code == 128 + SIGKILL || code == 128 + SIGTERM));
}

}  // namespace

TableChanges::TableChanges(Pipeline& pipeline, unsigned seed)
    : pipeline_(pipeline), random_(seed), via_root_(seed % 3 == 0) {
    for (const std::string& table : all()) {
        const bool has_key = table != "c2";
        pipeline_.on_target(has_key ? "CREATE TABLE " + table + columns : keyless);
        if (table[0] != 'x') pipeline_.on_source(has_key ? "CREATE TABLE " + table + columns : keyless);
    }
    pipeline_.on_source("CREATE TABLE root" + std::string(columns) + " PARTITION BY RANGE (id)");
    pipeline_.on_target("CREATE TABLE root" + std::string(columns));
}

std::vector<std::string> TableChanges::all() {
    return {"t1", "t2", "t3", "x1", "x2", "p1", "p2", "p3", "m", "c1", "c2"};
}

void TableChanges::start() {
    start_replicator();
    start_worker();
}

std::string TableChanges::step() {
    wait_a_little();
    revive();
    switch (pick(17)) {
        case 0:
            return made_again("t" + number(3));
        case 1:
            return swapped("t" + number(3), "t" + number(3));
        case 2:
        case 3:
            return attached_or_detached(pick(3) + 1);
        case 4:
            return partition_made_again(pick(3) + 1);
        case 5:
        case 6:
            return inherits_or_not("c" + number(2));
        case 7:
            return selects_others();
        case 8:
        case 9:
            return altered_by_hand();
        case 10:
            return replicator_restarted();
        case 11:
            return worker_restarted();
        case 12:
            return made_or_dropped("x" + number(2));
        case 13:
            return made_.contains("x1") ? swapped("t" + number(3), "x1") : made_or_dropped("x1");
        case 14:
            return renamed_and_back("t" + number(3));
        case 15:
            return copied_again();
        default:
            return dies_somewhere();
    }
}

// A slot whose log the server cannot decode any more (a bug of its own, met once in some hundred seeds): the log says
// so, and what to do.
void TableChanges::heed_undecodable() {
    if (pipeline_.replicator().err().find("has failed to decode its log") == std::string::npos) return;
    kill_replicator();
    Args again = arguments();
    again.emplace_back("--resnapshot");
    pipeline_.start_replicator(again, {{"PGSLUICE_TABLE_CHECK_MS", "1000"}});
    replicator_armed_ = false;
}

void TableChanges::revive() {
    heed_undecodable();
    if (!pipeline_.replicator().running()) {
        Pipeline::must_die(pipeline_.replicator());
        kill_replicator();
        start_replicator();
    }
    if (!pipeline_.worker().running()) {
        if (!heed_stop_at_renamed()) Pipeline::must_die(pipeline_.worker());
        kill_worker();
        start_worker();
    }
}

// A worker that had not seen the table by its own name yet knows rows of `y` only. Its HINT is followed, and what went
// there comes to the table by another copy.
bool TableChanges::heed_stop_at_renamed() {
    if (renamed_.empty() || pipeline_.worker().err().find("unable to write to 'public.y'") == std::string::npos)
        return false;
    CHECK(pipeline_.worker().wait() == 1);
    pipeline_.on_target("CREATE TABLE IF NOT EXISTS y" + std::string(columns));
    copy_again(renamed_);
    return true;
}

// A table that was renamed, and is named by its new name from then on, has its rows elsewhere on the target. The log
// says so, and what to type.
void TableChanges::heed_renames() {
    static const std::regex words(R"(have it copied there \(pgsluice resnapshot --group \w+ --tables ([\w.]+)\))");
    const std::string said = messages();
    std::set<std::string> tables;
    for (std::sregex_iterator found(said.begin(), said.end(), words), end; found != end; ++found)
        tables.insert((*found)[1]);
    for (const std::string& table : tables) past_ += copy_again(table) + "\n";
}

void TableChanges::make_comparable() {
    heed_renames();
    if (!via_root_ || !root_keeps_rows_) return;
    if (attached_.contains("p1")) attached_or_detached(1);
    attached_or_detached(1);
}

void TableChanges::disarm() {
    if (replicator_armed_) {
        kill_replicator();
        start_replicator();
    }
    if (worker_armed_) {
        kill_worker();
        start_worker();
    }
}

void TableChanges::stop() {
    end(pipeline_.replicator());
    end(pipeline_.worker());
}

std::vector<std::string> TableChanges::in_group() const {
    std::vector<std::string> tables{"ONLY m"};
    for (const auto* some : {&selected_, &made_, &inheriting_})
        for (const std::string& table : *some) tables.push_back("ONLY " + table);
    if (via_root_)
        tables.emplace_back("root");
    else
        tables.insert(tables.end(), attached_.begin(), attached_.end());
    return tables;
}

TableChanges::Args TableChanges::arguments() const {
    std::string tables = "settled,root,m,x*";
    for (const std::string& table : selected_) tables += "," + table;
    Args words{"--copy-and-stream", "--tables", tables};
    if (via_root_) words.emplace_back("--publish-via-partition-root");
    return words;
}

void TableChanges::on_source(const std::string& statements) {
    for (int tries = 0;; ++tries) {
        try {
            return pipeline_.on_source(statements);
        } catch (const SqlError& error) {
            if (error.sqlstate() != "40P01" || tries == 20) throw;
        }
    }
}

void TableChanges::wait_a_little() {
    pipeline_.source_scalar("SELECT pg_sleep(" + std::to_string(pick(4) * 0.3) + ")");
}

void TableChanges::await_stream() {
    eventually("the replicator streams, or has ended", [&] {
        heed_undecodable();
        return !pipeline_.replicator().running() || pipeline_.streams();
    });
}

std::string TableChanges::messages() {
    return past_ + "the replicator:\n" + pipeline_.replicator().err() + "the worker:\n" + pipeline_.worker().err();
}

void TableChanges::kill_replicator() {
    past_ += "a replicator:\n" + pipeline_.replicator().err();
    pipeline_.kill_replicator();
}

void TableChanges::kill_worker() {
    past_ += "a worker:\n" + pipeline_.worker().err();
    pipeline_.kill_worker();
}

void TableChanges::start_replicator(const std::string& failpoint) {
    replicator_armed_ = !failpoint.empty();
    std::map<std::string, std::string> environment{{"PGSLUICE_TABLE_CHECK_MS", "1000"}};
    if (!failpoint.empty()) environment["PGSLUICE_FAILPOINT"] = failpoint;
    pipeline_.start_replicator(arguments(), environment);
}

void TableChanges::start_worker(const std::string& failpoint) {
    worker_armed_ = !failpoint.empty();
    std::map<std::string, std::string> environment;
    if (!failpoint.empty()) environment["PGSLUICE_FAILPOINT"] = failpoint;
    pipeline_.start_worker({"--target-existing-rows", "truncate"}, environment);
}

std::string TableChanges::made_again(const std::string& table) {
    const bool at_once = pick(2) == 0;
    if (!at_once) await_stream();
    on_source("BEGIN; DROP TABLE " + table + (at_once ? ";" : "; COMMIT; SELECT pg_sleep(0.3); BEGIN;") +
              " CREATE TABLE " + table + columns + "; INSERT INTO " + table + " VALUES (" + number(500) +
              ", 'again'); COMMIT");
    return table + (at_once ? " made again" : " dropped and made");
}

std::string TableChanges::made_or_dropped(const std::string& table) {
    if (made_.erase(table) > 0) {
        on_source("DROP TABLE " + table);
        return table + " dropped";
    }
    made_.insert(table);
    on_source("BEGIN; CREATE TABLE " + table + columns + "; INSERT INTO " + table + " VALUES (1, 'born'); COMMIT");
    return table + " made";
}

std::string TableChanges::swapped(const std::string& one, const std::string& other) {
    if (one == other) return "nothing";
    on_source("BEGIN; ALTER TABLE " + one + " RENAME TO y; ALTER TABLE " + other + " RENAME TO " + one +
              "; ALTER TABLE y RENAME TO " + other + "; COMMIT");
    return one + " and " + other + " swapped";
}

std::string TableChanges::renamed_and_back(const std::string& table) {
    await_stream();
    on_source("ALTER TABLE " + table + " RENAME TO y");
    wait_a_little();
    on_source("ALTER TABLE y RENAME TO " + table);
    renamed_ = table;
    return table + " renamed and back";
}

std::string TableChanges::attached_or_detached(int partition) {
    const std::string table = "p" + std::to_string(partition);
    if (attached_.erase(table) > 0) {
        root_keeps_rows_ = true;
        on_source("ALTER TABLE root DETACH PARTITION " + table + (pick(3) == 0 ? " CONCURRENTLY" : ""));
        return table + " detached";
    }
    attached_.insert(table);
    on_source("ALTER TABLE root ATTACH PARTITION " + table + bounds(partition));
    return table + " attached";
}

std::string TableChanges::partition_made_again(int partition) {
    const std::string table = "p" + std::to_string(partition);
    if (!attached_.insert(table).second) root_keeps_rows_ = true;
    on_source("BEGIN; DROP TABLE " + table + "; CREATE TABLE " + table + " PARTITION OF root" + bounds(partition) +
              "; INSERT INTO " + table + " VALUES (" + std::to_string(partition * 1000) + ", 'born'); COMMIT");
    return table + " made as a partition";
}

std::string TableChanges::inherits_or_not(const std::string& table) {
    if (inheriting_.erase(table) > 0) {
        on_source("ALTER TABLE " + table + " NO INHERIT m");
        return table + " inherits no more";
    }
    inheriting_.insert(table);
    // A child must have what the parent's key demands.
    on_source((table == "c2" ? "ALTER TABLE c2 ALTER id SET NOT NULL; " : "") + ("ALTER TABLE " + table) +
              " INHERIT m");
    return table + " inherits";
}

std::string TableChanges::selects_others() {
    selected_.clear();
    std::string all = "selected:";
    for (const std::string table : {"t1", "t2", "t3"}) {
        if (pick(2) == 0) continue;
        selected_.insert(table);
        all += " " + table;
    }
    return all + ", " + replicator_restarted();
}

std::string TableChanges::altered_by_hand() {
    const std::array tables = {"t1", "t2", "t3", "root", "m", "c1", "p1"};
    const std::string table = tables[static_cast<std::size_t>(pick(tables.size()))];
    const std::string publication = "pgsluice_" + pipeline_.group();
    const std::string found = pipeline_.source_scalar(
        "SELECT count(*) FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = '" +
        table + "'::regclass WHERE pubname = '" + publication + "' AND r.oid IS NOT NULL");
    const std::string verb = found == "1" ? " DROP TABLE ONLY " : " ADD TABLE ONLY ";
    const std::string statement = "ALTER PUBLICATION " + publication + verb + table;
    try {
        on_source(statement);
        if (pick(3) == 0) {  // and back
            wait_a_little();
            on_source("ALTER PUBLICATION " + publication + (found == "1" ? " ADD TABLE ONLY " : " DROP TABLE ONLY ") +
                      table);
        }
    } catch (const std::exception& error) {  // there is none yet, or the replicator was faster
        return statement + ": " + error.what();
    }
    return statement;
}

std::string TableChanges::copied_again() {
    const auto tables = in_group();
    std::string table = tables[static_cast<std::size_t>(pick(static_cast<int>(tables.size())))];
    if (table.starts_with("ONLY ")) table.erase(0, 5);
    return copy_again(table);
}

std::string TableChanges::copy_again(const std::string& table) {
    const Finished asked = run({PGSLUICE_BINARY, "resnapshot", "--group", pipeline_.group(), "--nats-url",
                                shared_nats().url(), "--tables", table});
    return table + (asked.code == 0 ? " to be copied again" : " not to be copied again: " + asked.err);
}

std::string TableChanges::replicator_restarted() {
    const bool kill = pick(2) == 0;
    if (!kill) end(pipeline_.replicator());
    kill_replicator();
    start_replicator();
    return kill ? "replicator killed" : "replicator restarted";
}

std::string TableChanges::worker_restarted() {
    const bool kill = pick(2) == 0;
    if (!kill) end(pipeline_.worker());
    kill_worker();
    start_worker();
    return kill ? "worker killed" : "worker restarted";
}

// When it gets there.
std::string TableChanges::dies_somewhere() {
    if (pick(3) == 0) {
        const std::string place = worker_places[static_cast<std::size_t>(pick(worker_places.size()))];
        kill_worker();
        start_worker(place);
        return "worker dies at " + place;
    }
    const std::string place = replicator_places[static_cast<std::size_t>(pick(replicator_places.size()))];
    kill_replicator();
    start_replicator(place);
    return "replicator dies at " + place;
}

}  // namespace pgsluice::test
