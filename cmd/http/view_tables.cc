// What the page shows of each table.
#include <fmt/format.h>

#include <algorithm>

#include "cmd/http/view.h"
#include "stream/format/json_writer.h"
#include "stream/op_names.h"

namespace pgsluice {

namespace {

std::string full_name(const std::string& schema, const std::string& table) {
    return schema.empty() ? table : schema + '.' + table;
}

void append_tables(JsonText& out, const TableTallies& tables) {
    out.key("tables");
    out.raw('[');
    bool first = true;
    tables.for_each([&](const std::string& schema, const std::string& table, const TableTally& tally) {
        if (!first) out.raw(',');
        first = false;
        out.raw('{');
        out.text("name", full_name(schema, table));
        for (std::size_t op = 0; op < op_names.size(); ++op) out.number(op_names[op], tally.changes[op].get());
        out.number("bytes", tally.bytes.get());
        out.number("dropped", tally.dropped.get());
        out.number("copied_rows", tally.copied_rows.get());
        out.raw('}');
    });
    out.raw(']');
}

void append_snapshot(JsonText& out, const std::optional<SnapshotProgress>& snapshot) {
    out.raw("\"snapshot\":[");
    const std::size_t shown = snapshot ? std::min(snapshot->tables.size(), TableTallies::max_tables) : 0;
    for (std::size_t i = 0; i < shown; ++i) {
        const TableProgress& table = snapshot->tables[i];
        if (i != 0) out.raw(',');
        out.raw('{');
        out.text("name", table.name);
        out.number("rows", table.rows);
        out.number("bytes", table.bytes);
        out.key("share");
        out.raw(fmt::format("{:.4f}", share_done(table)));
        out.raw('}');
    }
    out.raw(']');
}

}  // namespace

std::string ReplicatorView::tables_json() const {
    JsonText out;
    append_snapshot(out, metrics_->snapshot.get());
    append_tables(out, metrics_->tables);
    return std::string(out.view());
}

std::string WorkerView::tables_json() const {
    JsonText out;
    append_snapshot(out, std::nullopt);
    append_tables(out, metrics_->tables);
    return std::string(out.view());
}

std::string WorkerView::rows_json() const {
    JsonText out;
    out.raw('{');
    out.text("worker", options().worker);
    out.text("shows", rows_->shows());
    out.key("rows");
    out.raw(rows_->look());
    out.raw('}');
    return std::string(out.view());
}

}  // namespace pgsluice
