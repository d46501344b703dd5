#include "cmd/commands/teardown.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <optional>

#include "cmd/terminal/say.h"
#include "replicator/source/ddl_capture.h"
#include "replicator/source/group_lock.h"
#include "replicator/source/publication.h"
#include "replicator/source/session.h"
#include "replicator/source/slot/slot.h"
#include "sinks/postgres/progress.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

void add(std::vector<Leftover>& to, std::vector<Leftover> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void refuse_if_used(const SlotState& slot, const Names& names) {
    if (!slot.ours) {
        throw stop_error(fmt::format("unable to drop slot '{}': it does not belong to pgsluice here ({})", names.slot,
                                     slot.plugin_and_database),
                         fmt::format("Give the source database of this group. If nothing needs the slot any more, drop "
                                     "it in the database that it is of: SELECT pg_drop_replication_slot('{}').",
                                     names.slot));
    }
    if (slot.active_pid != 0) {
        throw stop_error(
            fmt::format("unable to drop slot '{}': process {} of the source is using it", names.slot, slot.active_pid),
            "Stop the group's replicator first.");
    }
}

void remove(const std::vector<Leftover>& leftovers, const std::stop_token& stop) {
    for (const Leftover& leftover : leftovers) {
        if (stop.stop_requested()) throw Interrupted{};
        leftover.remove();
        say(fmt::format("removed {}", leftover.what));
    }
}

}  // namespace

std::vector<Leftover> leftovers_on_source(sql::Connection& source, const Names& names) {
    std::vector<Leftover> out;
    const std::string where = sql::describe(source.options());
    if (const auto slot = find_slot(source, names.slot)) {
        refuse_if_used(*slot, names);
        out.push_back({fmt::format("slot '{}' on source {}", names.slot, where),
                       [&source, names] { drop_slot(source, names.slot); }});
    }
    if (publication_exists(source, names.publication)) {
        out.push_back({fmt::format("publication '{}' on source {}", names.publication, where), [&source, names] {
                           source.exec("DROP PUBLICATION IF EXISTS " + sql::quote_identifier(names.publication));
                       }});
    }
    const auto capture = ddl_capture_objects(source, names);
    if (!capture.empty()) {
        out.push_back({fmt::format("DDL capture on source {}: {}", where, fmt::join(capture, ", ")),
                       [&source, names] { drop_ddl_capture(source, names); }});
    }
    return out;
}

std::vector<Leftover> leftovers_in_nats(Broker& broker, const Names& names) {
    std::vector<Leftover> out;
    for (const std::string& stream : {names.stream, names.dead_letters}) {
        const auto state = broker.stream_state(stream);
        if (!state) continue;
        out.push_back(
            {fmt::format("stream '{}' in NATS with {} messages, {} bytes", stream, state->messages, state->bytes),
             [&broker, stream] { broker.delete_stream(stream); }});
    }
    const std::string bucket_stream = "KV_" + names.bucket;  // how NATS stores a bucket
    if (broker.stream_state(bucket_stream)) {
        out.push_back(
            {fmt::format("KV bucket '{}' in NATS", names.bucket), [&broker, names] { broker.delete_bucket(names); }});
    }
    return out;
}

// Whose build (worker --ddl-build-indexes concurrently) was cut off. A unique one would still refuse rows.
std::vector<Leftover> unfinished_indexes(sql::Connection& target, const Names& names) {
    std::vector<Leftover> out;
    if (!target.query("SELECT to_regclass('pgsluice.index_builds') IS NOT NULL", {}, {1, 1, 1}).boolean(0, 0))
        return out;
    const auto found = target.query(
        "SELECT pg_catalog.format('%I.%I', b.schema, b.name) FROM pgsluice.index_builds b JOIN pg_catalog.pg_index i "
        "ON i.indexrelid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', b.schema, b.name)) "
        "AND i.indrelid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', b.schema, b.\"table\")) "
        "WHERE NOT i.indisvalid AND b.\"group\" = $1 ORDER BY b.id",
        {names.group}, {1});
    for (int row = 0; row < found.rows(); ++row) {
        const std::string index = found.text(row, 0);
        out.push_back({fmt::format("unfinished index {} on target {}", index, sql::describe(target.options())),
                       [&target, index] { target.exec("DROP INDEX CONCURRENTLY IF EXISTS " + index); }});
    }
    return out;
}

std::vector<Leftover> leftovers_on_target(sql::Connection& target, const Names& names) {
    const std::string where = sql::describe(target.options());
    if (target.query("SELECT to_regclass('pgsluice.progress') IS NOT NULL", {}, {1, 1, 1}).get(0, 0) != "t") return {};
    PostgresProgress::require_owned(target);
    const auto workers = target.query("SELECT worker FROM pgsluice.progress WHERE \"group\" = $1 ORDER BY worker",
                                      {sql::Param(names.group)}, {1});
    std::vector<Leftover> out = unfinished_indexes(target, names);
    for (int row = 0; row < workers.rows(); ++row) {
        const std::string worker = workers.text(row, 0);
        out.push_back({fmt::format("progress of worker '{}' on target {}", worker, where),
                       [&target, names, worker] { PostgresProgress::erase(target, names.group, worker); }});
    }
    return out;
}

void run_teardown(Settings settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.replicator.names;
    sql::Connection source(settings.replicator.source, stop);
    const auto broker = Broker::connect(settings.nats, log, stop);
    std::optional<sql::Connection> target;
    if (is_given(settings.postgres.target)) target.emplace(settings.postgres.target, stop);

    std::vector<Leftover> leftovers = leftovers_on_source(source, names);
    add(leftovers, leftovers_in_nats(*broker, names));
    if (target) add(leftovers, leftovers_on_target(*target, names));

    if (leftovers.empty()) say(fmt::format("group '{}' has nothing left", names.group));
    if (!target) say("no target is given (--target-url): the progress of workers there is kept");
    if (settings.yes) {
        const GroupLock lock(source, names.slot);  // a running replicator holds it, also before it has a slot
        remove(leftovers, stop);
        return;
    }
    for (const Leftover& leftover : leftovers) say(fmt::format("would remove {}", leftover.what));
    if (!leftovers.empty()) say("nothing was removed; add --yes to remove it");
}

}  // namespace pgsluice
