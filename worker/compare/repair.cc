#include "worker/compare/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <span>

#include "sinks/postgres/apply/rows.h"
#include "sinks/postgres/origins.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/target_mappings.h"
#include "stream/format/copy_text.h"
#include "stream/group/info.h"
#include "worker/compare/reader.h"

namespace pgsluice {

namespace {

// The worker stands still for so many rows, well below a second on a usual target.
constexpr std::size_t rows_per_repair = 500;

using Texts = RowReader::Texts;

PostgresSinkOptions sink_options(const CompareOptions& options) {
    PostgresSinkOptions made;
    made.target = options.target;
    made.group = options.names.group;
    made.worker = options.worker;
    made.unmarked = options.unmarked;
    return made;
}

// The target's transaction, fenced against the worker; rolled back unless it commits.
class Writer {
   public:
    Writer(const ComparedTable& table, const CompareOptions& options, const std::optional<GroupInfo>& source,
           const Log& log, const std::stop_token& stop)
        : table_(table),
          options_(sink_options(options)),
          session_(open_session(options_, stop)),
          mappings_(session_.connection, OnMissingColumn::stop, log),
          rows_(session_, mappings_, options_, log),
          origins_(options_, log, TargetOrigins::Writer::repair) {
        if (source) origins_.open(session_.connection, *source);
    }

    // In the transaction that follows.
    void fence(Lsn lsn) {
        session_.connection.exec(session_.begin());
        session_.guard.forget();
        session_.connection.exec("SET LOCAL lock_timeout = '10s'");
        const auto row = session_.connection.query(
            "SELECT position_lsn FROM pgsluice.progress WHERE \"group\" = $1 AND worker = $2 FOR UPDATE",
            {options_.group, options_.worker}, {1, 1, 1});
        if (parse_lsn(row.text(0, 0)).value_or(Lsn{}) < lsn) return;
        roll_back();
        throw NotMet{"the worker continued before the rows were repaired"};
    }
    void commit() {
        session_.guard.end(session_.connection);
        session_.connection.exec("COMMIT");
    }
    void roll_back() { session_.connection.exec("ROLLBACK"); }

    // The row as it is to be; over the one of its key where there is one.
    void put(const Texts& values, Op op) {
        Change change = change_of(op);
        change.new_row = row_of(values);
        rows_.write(change, counts_);
    }
    void remove(const Texts& values) {
        Change change = change_of(Op::del);
        change.old_kind = table_.key.empty() ? OldRow::full : OldRow::key;
        change.old_row = row_of(values);
        rows_.write(change, counts_);
    }
    [[nodiscard]] sql::Connection& connection() { return session_.connection; }

   private:
    Change change_of(Op op) {
        arena_.clear();
        Change change;
        change.op = op;
        change.relation = table_.relation.get();
        return change;
    }
    Row row_of(const Texts& texts) {
        const auto values = arena_.make<Value>(texts.size());
        for (std::size_t i = 0; i < texts.size(); ++i) {
            if (texts[i]) values[i] = Value(*texts[i]);
        }
        return values;
    }

    const ComparedTable& table_;
    PostgresSinkOptions options_;
    PostgresSession session_;
    TargetMappings mappings_;
    PostgresRows rows_;
    TargetOrigins origins_;
    ConflictCounts counts_;
    Arena arena_;
};

Texts key_of(const ComparedTable& table, const Difference& row) {
    Arena arena;
    Texts key;
    for (const Value& value : parse_copy_line(row.key, table.key.size(), arena))
        key.push_back(value.is_null() ? std::nullopt : std::optional<std::string>(value.text()));
    return key;
}

std::optional<Texts> find_on_source(const ComparedTable& table, RowReader& source, const Texts& key) {
    for (const RowStore& store : table.source) {
        if (auto row = source.row_by_key(store, key)) return row;
    }
    return std::nullopt;
}

// That no row of the source has the key any more brings a delete to the target.
bool brings_delete(const ComparedTable& table, const Difference& row) {
    const bool extra = row.kind == Difference::Kind::extra;
    return !(extra ? table.target[row.target.store] : table.source[row.source.store]).never.deletes;
}

void repair_by_key(const ComparedTable& table, std::span<const Difference> rows, sql::Connection& source_connection,
                   Writer& writer) {
    RowReader source(source_connection);
    for (const Difference& row : rows) {
        const Texts key = key_of(table, row);
        if (const auto values = find_on_source(table, source, key)) {
            writer.put(*values, Op::update);
        } else if (brings_delete(table, row)) {
            Texts old(table.columns.size());
            for (std::size_t i = 0; i < key.size(); ++i) old[table.key[i]] = key[i];
            writer.remove(old);
        }
    }
}

// A row without a key: its values, and how often it is on the source more than on the target.
struct Surplus {
    Texts values;
    std::int64_t more = 0;
};
using Surpluses = std::map<std::string, Surplus>;  // by Difference::key

Surpluses rows_without_key(const ComparedTable& table, std::span<const Difference> rows, BothEnds& ends) {
    RowReader source(ends.source[0]);
    RowReader target(ends.target[0]);
    Surpluses found;
    for (const Difference& row : rows) {
        if (found.contains(row.key)) continue;
        const bool extra = row.kind == Difference::Kind::extra;
        const auto values = extra ? target.row(table.target[row.target.store], row.target.ctid)
                                  : source.row(table.source[row.source.store], row.source.ctid);
        if (values) found[row.key].values = *values;
    }
    return found;
}

void count(const ComparedTable& table, const std::vector<RowStore>& stores, sql::Connection& connection,
           std::int64_t step, Surpluses& rows) {
    std::vector<std::size_t> all(table.ranges);
    std::iota(all.begin(), all.end(), 0);
    RowReader reader(connection);
    for (const RowStore& store : stores)
        reader.digests(table, store, all, std::nullopt, [&](const std::string& key, std::uint64_t, const std::string&) {
            const auto found = rows.find(key);
            if (found != rows.end()) found->second.more += step;
        });
}

void repair_by_count(const ComparedTable& table, Surpluses rows, sql::Connection& source, Writer& writer) {
    count(table, table.source, source, 1, rows);
    count(table, table.target, writer.connection(), -1, rows);
    for (auto& [key, row] : rows) {
        for (; row.more > 0; --row.more) writer.put(row.values, Op::insert);
        for (; row.more < 0; ++row.more) writer.remove(row.values);
    }
}

}  // namespace

std::uint64_t repair(const ComparedTable& table, const std::vector<Difference>& differences, BothEnds& ends,
                     const CompareOptions& options, Broker& broker, const Log& log, const std::stop_token& stop) {
    if (differences.empty()) return 0;
    if (!table.key_is_kept) {
        log(LogLevel::warning, fmt::format("table '{}' is not repaired: a rule writes to its key, so the rows of the "
                                           "source cannot be found by it",
                                           table.name()));
        return 0;
    }
    CompareOptions one = options;
    one.connections = 1;
    Writer writer(table, options, find_group_info(broker, options.names, broker.stream_state(options.names.stream)),
                  log, stop);
    const std::size_t step = table.key.empty() ? differences.size() : rows_per_repair;
    std::span<const Difference> left(differences);
    while (!left.empty()) {
        const auto rows = left.first(std::min(step, left.size()));
        const Surpluses surpluses = table.key.empty() ? rows_without_key(table, rows, ends) : Surpluses{};
        meet_at_one_lsn(one, {&table, 1}, broker, log, stop, [&](BothEnds& met) {
            writer.fence(met.lsn);
            if (table.key.empty())
                repair_by_count(table, surpluses, met.source[0], writer);
            else
                repair_by_key(table, rows, met.source[0], writer);
            writer.commit();
        });
        left = left.subspan(rows.size());
    }
    return differences.size();
}

}  // namespace pgsluice
