#include "replicator/snapshot/snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "replicator/await_acks.h"
#include "replicator/replicator_metrics.h"
#include "replicator/snapshot/copy_threads.h"
#include "replicator/snapshot/direct_hold.h"
#include "replicator/snapshot/report.h"
#include "replicator/source/slot/slot.h"
#include "rules/compiled_rules.h"
#include "sql/error.h"
#include "sql/page_ranges.h"
#include "sql/planned_code.h"
#include "stream/base/failpoint.h"
#include "stream/base/test_setting.h"
#include "stream/format/markers.h"
#include "stream/full_name.h"

namespace pgsluice {

namespace {

struct Sizes {
    std::vector<PartSize> parts;
    std::vector<std::uint64_t> table_bytes;  // with TOAST
    std::uint64_t block_size = 8192;
};

Sizes measure(sql::Connection& connection, std::span<const SourceTable> tables) {
    Sizes sizes;
    sizes.table_bytes.resize(tables.size());
    sizes.block_size = static_cast<std::uint64_t>(
        connection.query("SELECT pg_catalog.current_setting('block_size')::pg_catalog.int8", {}, {1, 1, 1})
            .integer(0, 0));
    std::string oids = "{";
    for (std::uint32_t table = 0; table < tables.size(); ++table) {
        for (std::uint32_t part = 0; part < tables[table].parts.size(); ++part) {
            oids += (oids.size() > 1 ? "," : "") + std::to_string(tables[table].parts[part].oid);
            sizes.parts.push_back({table, part, 0});
        }
    }
    const std::string list = oids + '}';
    const auto found = connection.query(
        "SELECT coalesce(pg_catalog.pg_relation_size(u.oid::pg_catalog.regclass), 0), "
        "       coalesce(pg_catalog.pg_table_size(u.oid::pg_catalog.regclass), 0) "
        "FROM pg_catalog.unnest($1::pg_catalog.oid[]) WITH ORDINALITY AS u(oid, number) ORDER BY u.number",
        {sql::Param(list)}, {2, static_cast<int>(sizes.parts.size()), static_cast<int>(sizes.parts.size())});
    for (int row = 0; row < found.rows(); ++row) {
        PartSize& part = sizes.parts[static_cast<std::size_t>(row)];
        part.pages = static_cast<std::uint64_t>(found.integer(row, 0)) / sizes.block_size;
        sizes.table_bytes[part.table] += static_cast<std::uint64_t>(found.integer(row, 1));
    }
    return sizes;
}

// A range is read by a query, and planning one would run such code with our rights.
void copy_whole(sql::Connection& source, std::span<const SourceTable> tables, Sizes& sizes, const Log& log) {
    std::vector<Oid> oids;
    for (const PartSize& part : sizes.parts) oids.push_back(tables[part.table].parts[part.part].oid);
    const auto code = sql::code_run_by_planning(source, oids);
    for (std::size_t i = 0; i < oids.size(); ++i) {
        const auto found = code.find(oids[i]);
        if (found == code.end()) continue;
        PartSize& part = sizes.parts[i];
        part.whole = true;
        log(LogLevel::info, fmt::format("table '{}' is copied in one piece: {}, which a query on its page ranges would "
                                        "run with our rights",
                                        full_name(tables[part.table].parts[part.part]), found->second));
    }
}

SnapshotProgress empty_progress(std::uint64_t epoch, std::span<const SourceTable> tables, const Sizes& sizes,
                                std::span<const PageRange> ranges) {
    SnapshotProgress progress;
    progress.epoch = epoch;
    for (std::size_t i = 0; i < tables.size(); ++i) {
        TableProgress table;
        table.name = full_name(tables[i].relation);
        table.estimated_bytes = sizes.table_bytes[i];
        progress.tables.push_back(std::move(table));
    }
    for (const auto& range : ranges) {
        progress.tables[range.table].pages += range.pages;
        ++progress.tables[range.table].ranges_left;
    }
    return progress;
}

// How often the begin marker is repeated, in bytes of rows: a worker in the middle of the snapshot needs one of them,
// so the stream can be trimmed up to the last. Often enough for a small stream to hold several.
std::uint64_t marker_interval(const StreamConfig& stream) {
    constexpr std::uint64_t longest = 256ULL << 20;
    return stream.max_bytes <= 0 ? longest : std::min(longest, static_cast<std::uint64_t>(stream.max_bytes) / 8);
}

MessageMeta copy_meta(MessageKind kind, Lsn consistent_point, const SnapshotJob& job) {
    return {kind, {consistent_point, 0}, consistent_point, job.added};
}

// Publishes what the copying threads bring until the last range is through.
class CopyPublisher {
   public:
    CopyPublisher(Publisher& publisher, CopyQueue& queue, SnapshotReport& report, const SnapshotBegin& begin,
                  std::uint64_t marker_interval_bytes, const SnapshotJob& job, ReplicatorMetrics& metrics,
                  const std::stop_token& stop)
        : publisher_(publisher),
          queue_(queue),
          report_(report),
          meta_(copy_meta(MessageKind::copy, begin.consistent_point, job)),
          marker_(encode(begin)),
          marker_interval_bytes_(marker_interval_bytes),
          check_(job.check),
          metrics_(metrics),
          stop_(stop) {
        header_.epoch = begin.epoch;
        header_.first_row = 1;
    }

    void publish_begin() {
        MessageMeta meta = meta_;
        meta.kind = MessageKind::snapshot_begin;
        publisher_.publish(meta, marker_);
        bytes_since_marker_ = 0;
    }

    void run() {
        while (report_.ranges_left() > 0) {
            if (auto block = queue_.pop(100)) {
                publish(*block);
                queue_.give_back(std::move(block->text));
            } else {
                static_cast<void>(publisher_.has_room());  // throws when the generation is broken
            }
            look_around();
        }
    }

   private:
    void wait_for_room() {
        const Spell::During waiting(metrics_.waiting_for_stream);
        while (!publisher_.wait_for_room(100)) look_around();
    }

    void look_around() {
        if (stop_.stop_requested()) throw Interrupted{};
        if (check_) check_(false);
        metrics_.show_in_flight(publisher_);
        report_.tell();
    }

    void publish(const CopiedBlock& block) {
        if (block.rows > 0) {
            wait_for_room();
            if (bytes_since_marker_ >= marker_interval_bytes_) {
                publish_begin();
                wait_for_room();
            }
            bytes_since_marker_ += block.text.size();
            header_.table = block.range.table;
            header_.rows = block.rows;
            header_.first_page = block.range.first_page;
            header_.end_page = block.range.end_page;
            publisher_.publish(meta_, block.text, &header_);
            PGSLUICE_FAILPOINT("copy-published");
            header_.first_row += block.rows;
        }
        report_.published(block);
    }

    Publisher& publisher_;
    CopyQueue& queue_;
    SnapshotReport& report_;
    const MessageMeta meta_;
    const std::string marker_;
    const std::uint64_t marker_interval_bytes_;
    std::uint64_t bytes_since_marker_ = 0;
    CopyHeader header_;
    const std::function<void(bool)>& check_;
    ReplicatorMetrics& metrics_;
    const std::stop_token& stop_;
};

// By the source's clock, which transactions are stamped with.
std::int64_t time_us(sql::Connection& source) {
    return source
        .query(
            "SELECT ((pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) - 946684800) * "
            "1000000)::pg_catalog.int8",
            {}, {1, 1, 1})
        .integer(0, 0);
}

SnapshotBegin begin_of(const SnapshotJob& job, Lsn consistent_point, std::span<const SourceTable> tables,
                       const Sizes& sizes, std::int64_t begun_us) {
    SnapshotBegin begin;
    begin.epoch = job.epoch;
    begin.consistent_point = consistent_point;
    for (const auto& table : tables) {
        if (job.replaces && job.replaces(table.relation.oid))
            begin.replaces.push_back(static_cast<std::uint32_t>(begin.tables.size()));
        begin.tables.push_back(table.rules ? *table.rules->target() : table.relation);
    }
    begin.estimated_bytes = sizes.table_bytes;
    begin.time_us = begun_us;
    return begin;
}

// Of a direct snapshot less, for a range is a transaction of the target there, and its threads end together sooner.
std::uint64_t pages_of_range(const ReplicatorOptions& options, const Sizes& sizes, bool direct) {
    const auto wanted = static_cast<int>(options.copy_range_bytes / (direct ? 4 : 1) / sizes.block_size);
    return static_cast<std::uint64_t>(std::max(1, test_setting("PGSLUICE_COPY_RANGE_PAGES", wanted)));
}

DirectPlan plan_of(std::span<const SourceTable> tables, const Sizes& sizes, std::uint64_t range_pages) {
    DirectPlan plan;
    plan.range_pages = range_pages;
    for (const PartSize& size : sizes.parts) {
        const sql::CatalogTable& part = tables[size.table].parts[size.part];
        plan.parts.push_back({size.table, part.schema, part.name, size.whole ? 0 : size.pages});
    }
    return plan;
}

std::map<Oid, std::uint64_t> rows_by_table(std::span<const SourceTable> tables, const SnapshotReport& report) {
    std::map<Oid, std::uint64_t> rows;
    for (std::size_t i = 0; i < tables.size(); ++i) rows[tables[i].relation.oid] = report.rows_of(i);
    return rows;
}

std::string beginning(bool direct, std::size_t tables, std::size_t ranges, const SnapshotReaders& snapshot,
                      std::uint64_t epoch) {
    const std::string point = to_string(snapshot.consistent_point);
    if (direct)
        return fmt::format(
            "holding {} tables in {} page ranges as of {} (epoch {}), for a postgres worker that is "
            "started with --snapshot direct",
            tables, ranges, point, epoch);
    return fmt::format("copying {} tables in {} page ranges on {} connections as of {} (epoch {})", tables, ranges,
                       snapshot.connections.size(), point, epoch);
}

void publish_end(const ReplicatorOptions& options, const SnapshotJob& job, Publisher& publisher, SlotGuard& guard,
                 const SnapshotEnd& end, const std::stop_token& stop) {
    const auto check = [&job] {
        if (job.check) job.check(false);
    };
    if (job.check) {
        await_acks(publisher, *options.metrics, stop, check);
        job.check(true);
    }
    PGSLUICE_FAILPOINT("before-snapshot-end");
    // From here on the end may be stored even if its ack is lost; without the end, the next start drops the slot.
    guard.keep();
    publisher.publish(copy_meta(MessageKind::snapshot_end, end.consistent_point, job), encode(end));
    await_acks(publisher, *options.metrics, stop, check);
    PGSLUICE_FAILPOINT("after-snapshot-end");
}

}  // namespace

Lsn copy_snapshot(const ReplicatorOptions& options, const SnapshotJob& job, sql::Connection& source,
                  Publisher& publisher, const Log& log, std::stop_token stop) {
    const bool direct = static_cast<bool>(job.loaded);
    // The copying threads end when we are asked to stop, and when publishing fails.
    std::stop_source copying;
    const std::stop_callback link(stop, [&copying] { copying.request_stop(); });
    // Before it is taken: what commits later has a later time.
    const std::int64_t begun_us = time_us(source);
    SnapshotReaders snapshot = open_snapshot(direct ? with_one_reader(options) : options, job.slot, job.tables, source,
                                             log, copying.get_token());
    SlotGuard guard(options.source, job.slot.stays ? job.slot.name : "");

    ColumnTypes types(source);
    auto tables = tables_to_copy(source, job.tables, options.publish_via_partition_root, types);
    if (job.came_as)
        for (SourceTable& table : tables) table.relation.came_as = job.came_as(table);
    // By a reader, which holds the tables' locks: asking for a size takes one too, and would queue after an ALTER
    // TABLE that waits for ours.
    Sizes sizes = measure(snapshot.connections.front(), tables);
    copy_whole(source, tables, sizes, log);
    const std::uint64_t range_pages = pages_of_range(options, sizes, direct);
    auto ranges = plan_ranges(sizes.parts, range_pages);
    const Lsn point = snapshot.consistent_point;
    log(LogLevel::info, beginning(direct, tables.size(), ranges.size(), snapshot, job.epoch));
    if (job.give_rules) job.give_rules(point, tables);
    if (job.chosen) job.chosen(point, tables, snapshot.connections.front());
    if (job.reach) job.reach(point, tables);
    SnapshotReport report(empty_progress(job.epoch, tables, sizes, ranges), options.on_snapshot_progress,
                          job.keep_progress, log);
    report.show_in(*options.metrics);
    const SnapshotBegin begin = begin_of(job, point, tables, sizes, begun_us);
    if (direct) {
        DirectHold hold({options, job, source, publisher, report, log, stop}, snapshot.connections.front(), point);
        hold.publish_begin(begin, plan_of(tables, sizes, range_pages));
        if (job.begun) job.begun(point);
        hold.await_loaded();
    } else {
        const std::size_t queue_bytes = 2 * snapshot.connections.size() * options.block_bytes;
        CopyQueue queue(queue_bytes, 2 * options.block_bytes);
        RangeQueue range_queue(std::move(ranges), options.max_copy_workers_per_table);
        CopyPublisher copies(publisher, queue, report, begin, marker_interval(options.stream), job, *options.metrics,
                             stop);
        copies.publish_begin();
        if (job.begun) job.begun(point);
        const CopyThreads threads(snapshot.connections, tables, range_queue, queue, options.block_bytes, copying);
        copies.run();
    }
    // Some may not have reached their COMMIT. No other session should wait for their locks until everything is stored.
    snapshot.connections.clear();
    publish_end(options, job, publisher, guard, {job.epoch, point, report.rows()}, stop);
    if (job.ended) job.ended(rows_by_table(tables, report));
    report.complete();
    return point;
}

}  // namespace pgsluice
