#include "cmd/leaks/report.h"

#include <fmt/format.h>

#include "stream/base/printable.h"
#include "stream/format/json_array.h"

namespace pgsluice {

std::vector<std::string> looked_for(const std::vector<HiddenColumn>& columns) {
    std::vector<std::string> lines;
    for (const HiddenColumn& column : columns) {
        if (!column.skipped.empty()) {
            lines.push_back(fmt::format("not looked for: {}: {}", column.name, column.skipped));
            continue;
        }
        std::string text = fmt::format("looked for: {}: {} values", column.name, column.values);
        if (column.too_short > 0) text += fmt::format(", {} were too short", column.too_short);
        if (column.common > 0) text += fmt::format(", {} common", column.common);
        if (column.kept > 0) text += fmt::format(", {} left as they are by the rule", column.kept);
        lines.push_back(std::move(text));
    }
    return lines;
}

std::string LeaksReport::text() const {
    std::string text;
    for (const std::string& line : looked_for(columns)) text += printable(line) + '\n';
    text += fmt::format("looked at: {} rows of {} tables of the target, {} columns\n", target.rows, target.tables,
                        target.columns);
    for (const std::string& table : target.unread) text += fmt::format("not looked at: {}\n", printable(table));
    if (group)
        text += fmt::format("looked at: {} messages of the stream, {} dead letters, {} keys of the bucket\n",
                            group->messages, group->dead_letters, group->keys);
    for (const Leak& leak : leaks)
        text += fmt::format("FOUND: {} in {}: {} values in {} rows\n", printable(leak.hidden), printable(leak.place),
                            leak.values, leak.rows);
    return text;
}

std::string LeaksReport::json() const {
    JsonText out;
    out.raw('{');
    append_objects(out, "looked_for", columns, [&](const HiddenColumn& column) {
        out.text("column", column.name);
        out.number("values", column.values);
        out.number("too_short", column.too_short);
        out.number("common", column.common);
        out.number("kept", column.kept);
        if (!column.skipped.empty()) out.text("not_looked_for", column.skipped);
    });
    out.number("rows", target.rows);
    out.number("tables", target.tables);
    out.number("columns", target.columns);
    append_array(out, "not_looked_at", target.unread, [&](const std::string& table) { out.text(table); });
    if (group) {
        out.number("messages", group->messages);
        out.number("dead_letters", group->dead_letters);
        out.number("keys", group->keys);
    }
    append_objects(out, "found", leaks, [&](const Leak& leak) {
        out.text("column", leak.hidden);
        out.text("place", leak.place);
        out.number("values", leak.values);
        out.number("rows", leak.rows);
    });
    out.raw("}\n");
    return std::string(out.view());
}

}  // namespace pgsluice
