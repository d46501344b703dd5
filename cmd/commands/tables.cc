#include "cmd/commands/tables.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>

#include "cmd/terminal/say.h"
#include "replicator/source/table_selection.h"
#include "sql/error.h"
#include "stream/base/printable.h"
#include "stream/broker.h"
#include "stream/format/json_writer.h"
#include "stream/full_name.h"
#include "stream/group/copy_request.h"
#include "stream/group/last_changes.h"

namespace pgsluice {

namespace {

std::string identity_of(const Relation& relation) {
    if (relation.identity == ReplicaIdentity::full) return "full";
    std::vector<std::string> key;
    for (const Column& column : relation.columns)
        if (column.key) key.push_back(column.name);
    if (key.empty()) return "none";
    return fmt::format("{} ({})", relation.identity == ReplicaIdentity::index ? "index" : "primary key",
                       fmt::join(key, ", "));
}

bool is_published(const TableRecord& record) { return record.active() && !record.capture.empty(); }

std::string note_of(const TableRecord& record) {
    std::string note = record.reason;
    const auto add = [&](const std::string& more) { note += (note.empty() ? "" : "; ") + more; };
    if (record.delivered_as != record.name) add("delivered as " + full_name(record.delivered_as));
    return note;
}

// "2026-11-26T03:45:00Z"
std::string time_text(std::int64_t postgres_us) {
    constexpr std::int64_t unix_to_postgres_s = 946684800;
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(postgres_us / 1'000'000 + unix_to_postgres_s));
}

using Cells = std::array<std::string, 8>;

Cells cells_of(const TableLine& line) {
    const TableRecord& record = line.record;
    return {printable(full_name(record.name)),
            std::string(to_string(record.state)),
            record.rows ? std::to_string(*record.rows) : "-",
            record.lsn == Lsn{} ? "-" : to_string(record.lsn),
            line.identity.empty() ? "-" : printable(line.identity),
            is_published(record) ? "yes" : "no",
            line.last_change ? to_string(line.last_change->commit) + ' ' + time_text(line.last_change->commit_time_us)
                             : "-",
            printable(note_of(record))};
}

std::string aligned(const std::vector<Cells>& rows) {
    std::array<std::size_t, std::tuple_size_v<Cells>> widths{};
    for (const Cells& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string out;
    for (const Cells& row : rows) {
        std::string text;
        for (std::size_t i = 0; i < row.size(); ++i) text += fmt::format("{:<{}}  ", row[i], widths[i]);
        text.erase(text.find_last_not_of(' ') + 1);
        out += text + '\n';
    }
    return out;
}

void append_json(JsonText& out, const TableLine& line) {
    const TableRecord& record = line.record;
    out.raw('{');
    out.number("oid", record.oid);
    out.text("schema", record.name.schema);
    out.text("table", record.name.table);
    out.text("state", to_string(record.state));
    if (record.rows) out.number("rows", *record.rows);
    out.lsn("lsn", record.lsn);
    if (!line.identity.empty()) out.text("identity", line.identity);
    out.boolean("published", is_published(record));
    if (line.last_change) {
        out.lsn("last_change_lsn", line.last_change->commit);
        out.text("last_change_time", time_text(line.last_change->commit_time_us));
    }
    if (record.delivered_as != record.name) {
        out.text("delivered_schema", record.delivered_as.schema);
        out.text("delivered_table", record.delivered_as.table);
    }
    if (!record.reason.empty()) out.text("reason", record.reason);
    out.raw('}');
}

std::map<Oid, TableRecord> records_of(Broker& broker, const Names& names) {
    if (auto records = find_table_records(broker, names)) return std::move(*records);
    throw stop_error(fmt::format("unable to find the record of the tables of group '{}'", names.group),
                     "Start the group's replicator: it makes the record.");
}

// The tables above it, as the replicator found them last.
std::span<const QualifiedName> above(const TableRecord& record, const GroupTables& definitions) {
    const auto found = std::ranges::find(definitions.now, record.oid, &Relation::oid);
    if (found == definitions.now.end()) return {};
    return found->ancestors;
}

bool is_meant(const TablePattern& pattern, const TableRecord& record, const GroupTables& definitions) {
    const auto matches = [&](const QualifiedName& name) { return pattern.matches(name.schema, name.table); };
    return matches(record.name) || matches(record.delivered_as) ||
           std::ranges::any_of(above(record, definitions), matches);
}

}  // namespace

std::vector<TableLine> table_lines(const std::map<Oid, TableRecord>& records, const GroupTables& definitions,
                                   const LastChanges& changes) {
    std::vector<TableLine> lines;
    for (const auto& [oid, record] : records) {
        const auto definition = std::ranges::find_if(
            definitions.now,
            [delivered = record.delivered_oid](const Relation& relation) { return relation.oid == delivered; });
        const bool known = record.active() && definition != definitions.now.end();
        const auto change = changes.find(record.delivered_oid);
        lines.push_back({record, known ? identity_of(*definition) : "",
                         change == changes.end() ? std::nullopt : std::optional(change->second)});
    }
    std::ranges::sort(lines, {}, [](const TableLine& line) {
        return std::tie(line.record.name.schema, line.record.name.table, line.record.oid);
    });
    return lines;
}

std::string tables_text(std::span<const TableLine> lines) {
    std::vector<Cells> rows{{"table", "state", "rows", "as of", "identity", "published", "last change", ""}};
    for (const TableLine& line : lines) rows.push_back(cells_of(line));
    return aligned(rows);
}

std::string tables_json(std::span<const TableLine> lines) {
    JsonText out;
    out.raw('[');
    for (bool first = true; const TableLine& line : lines) {
        out.raw(first ? "\n" : ",\n");
        first = false;
        append_json(out, line);
    }
    out.raw("\n]\n");
    return std::string(out.view());
}

std::set<Oid> tables_to_copy_again(const std::map<Oid, TableRecord>& records, const GroupTables& definitions,
                                   const TableChoice& choice) {
    std::set<Oid> tables;
    for (const TablePattern& pattern : selection_of(choice).wanted) {
        const std::size_t before = tables.size();
        for (const auto& [oid, record] : records)
            if (record.active() && is_meant(pattern, record, definitions)) tables.insert(oid);
        if (tables.size() > before || pattern.wildcard()) continue;
        throw stop_error(fmt::format("unable to copy table '{}' again: the group has no such table", pattern.name()),
                         "See the group's tables with pgsluice tables.");
    }
    if (tables.empty())
        throw stop_error("unable to copy tables again: no table of the group matches",
                         "See the group's tables with pgsluice tables.");
    return tables;
}

void run_tables(Settings settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.replicator.names;
    const auto broker = Broker::connect(settings.nats, log, std::move(stop));
    const auto lines = table_lines(records_of(*broker, names), find_tables(*broker, names).value_or(GroupTables{}),
                                   find_last_changes(*broker, names));
    const std::string text = settings.json ? tables_json(lines) : tables_text(lines);
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void run_resnapshot(Settings settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.replicator.names;
    const auto broker = Broker::connect(settings.nats, log, std::move(stop));
    const auto records = records_of(*broker, names);
    const auto definitions = find_tables(*broker, names).value_or(GroupTables{});
    const auto tables = tables_to_copy_again(records, definitions, settings.replicator);
    request_copies(*broker, names, tables);
    std::vector<std::string> asked;
    for (const Oid table : tables) asked.push_back(full_name(records.at(table).name));
    say(fmt::format("asked for a new copy of {}", fmt::join(asked, ", ")));
    say("the replicator begins it within seconds, or when it is started; pgsluice tables shows the state");
}

}  // namespace pgsluice
