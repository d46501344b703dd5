#include "worker/compare/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "stream/base/printable.h"
#include "stream/format/json_array.h"

namespace pgsluice {

namespace {

std::string quoted(const OptionalText& value) {
    if (!value) return "NULL";
    std::string text = "'";
    for (const char c : *value) {
        if (c == '\'') text += '\'';
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else
            text += c;
    }
    return text + "'";
}

std::string_view words(Difference::Kind kind) {
    switch (kind) {
        case Difference::Kind::missing:
            return "missing on the target";
        case Difference::Kind::extra:
            return "on the target only";
        case Difference::Kind::changed:
            return "differs";
    }
    return "";
}

std::string key_text(const DifferentRow& row) {
    if (row.key_columns.empty())
        return fmt::format("row {} of the {}", row.place, row.kind == Difference::Kind::extra ? "target" : "source");
    std::vector<std::string> values;
    for (const OptionalText& value : row.key) values.push_back(quoted(value));
    return fmt::format("({})=({})", fmt::join(row.key_columns, ", "), fmt::join(values, ", "));
}

std::string value_text(const ComparedValue& value, Difference::Kind kind) {
    switch (kind) {
        case Difference::Kind::missing:
            return fmt::format("{} {}", value.column, quoted(value.source));
        case Difference::Kind::extra:
            return fmt::format("{} {}", value.column, quoted(value.target));
        case Difference::Kind::changed:
            return fmt::format("{} {} on the source, {} on the target", value.column, quoted(value.source),
                               quoted(value.target));
    }
    return "";
}

std::string row_text(const DifferentRow& row, bool show_values) {
    std::string text = fmt::format("  {}: {}", printable(key_text(row)), words(row.kind));
    if (row.kind == Difference::Kind::changed) {
        std::vector<std::string_view> columns;
        for (const ComparedValue& value : row.values) columns.emplace_back(value.column);
        text += printable(fmt::format(" in {}", fmt::join(columns, ", ")));
    }
    text += '\n';
    if (!show_values) return text;
    for (const ComparedValue& value : row.values)
        text += fmt::format("    {}\n", printable(value_text(value, row.kind)));
    return text;
}

std::string rows_word(std::uint64_t rows) { return fmt::format("{} row{}", rows, rows == 1 ? "" : "s"); }

// "equal" is said of what the target's types made of the values.
std::string converted_text(const TableReport& table) {
    std::string list;
    for (const ConvertedColumn& column : table.converted)
        list += fmt::format("{}{} ({} as {})", list.empty() ? "" : ", ", column.name, column.source, column.target);
    return list.empty() ? "" : fmt::format("  compared after conversion to the target's type: {}\n", printable(list));
}

std::string table_text(const TableReport& table, bool show_values) {
    const std::string name = printable(table.name);
    if (!table.left_out.empty()) return fmt::format("{}: not compared: {}\n", name, printable(table.left_out));
    if (table.equal())
        return fmt::format("{}: equal, {}{}\n", name, rows_word(table.source_rows),
                           table.sample ? " in the sample" : "") +
               converted_text(table);
    std::string text =
        fmt::format("{}: {} differ{}; {}the source has {}, the target {}\n", name, rows_word(table.differences),
                    table.differences == 1 ? "s" : "", table.sample ? "in the sample " : "",
                    rows_word(table.source_rows), rows_word(table.target_rows));
    text += converted_text(table);
    for (const DifferentRow& row : table.rows) text += row_text(row, show_values);
    if (table.differences > table.rows.size())
        text += fmt::format("  and {} more\n", table.differences - table.rows.size());
    if (table.unread_rows > 0)
        text += fmt::format("  more differ among {} that were not compared one by one\n", rows_word(table.unread_rows));
    if (table.repaired > 0) text += fmt::format("  {} repaired\n", rows_word(table.repaired));
    return text;
}

void append(JsonText& out, std::string_view name, const OptionalText& value) {
    if (value) return out.text(name, *value);
    out.key(name);
    out.raw("null");
}

void append_key(JsonText& out, const DifferentRow& row) {
    if (row.key_columns.empty()) return out.text("ctid", row.place);
    out.key("key");
    out.raw('{');
    for (std::size_t i = 0; i < row.key_columns.size(); ++i) {
        if (i > 0) out.raw(',');
        out.text(row.key_columns[i]);  // any name: escaped
        out.raw(':');
        if (row.key[i])
            out.text(*row.key[i]);
        else
            out.raw("null");
    }
    out.raw('}');
}

void append_row(JsonText& out, const DifferentRow& row, bool show_values) {
    constexpr std::array<std::string_view, 3> kinds{"missing", "extra", "changed"};
    out.text("kind", kinds.at(static_cast<std::size_t>(row.kind)));
    append_key(out, row);
    append_objects(out, "columns", row.values, [&](const ComparedValue& value) {
        out.text("name", value.column);
        if (show_values && row.kind != Difference::Kind::extra) append(out, "source", value.source);
        if (show_values && row.kind != Difference::Kind::missing) append(out, "target", value.target);
    });
}

void append_table(JsonText& out, const TableReport& table, bool show_values) {
    out.text("table", table.name);
    if (!table.left_out.empty()) return out.text("not_compared", table.left_out);
    out.boolean("equal", table.equal());
    if (table.sample) out.boolean("sample", true);
    out.number("source_rows", table.source_rows);
    out.number("target_rows", table.target_rows);
    out.number("differences", table.differences);
    out.number("unread_rows", table.unread_rows);
    out.number("repaired", table.repaired);
    append_objects(out, "converted", table.converted, [&](const ConvertedColumn& column) {
        out.text("column", column.name);
        out.text("source_type", column.source);
        out.text("target_type", column.target);
    });
    append_objects(out, "rows", table.rows, [&](const DifferentRow& row) { append_row(out, row, show_values); });
}

}  // namespace

bool CompareReport::equal() const noexcept { return std::ranges::all_of(tables, &TableReport::equal); }

bool CompareReport::repaired() const noexcept {
    return std::ranges::all_of(tables, [](const TableReport& table) {
        return table.left_out.empty() && table.unread_rows == 0 && table.repaired == table.differences;
    });
}

std::string to_text(const CompareReport& report, bool show_values) {
    std::string text;
    std::uint64_t rows = 0;
    std::size_t equal = 0;
    std::size_t left_out = 0;
    for (const TableReport& table : report.tables) {
        text += table_text(table, show_values);
        rows += table.source_rows;
        equal += table.equal() ? 1 : 0;
        left_out += table.left_out.empty() ? 0 : 1;
    }
    text += fmt::format("compared at {}: {} of {} tables equal", to_string(report.lsn), equal, report.tables.size());
    if (left_out > 0) text += fmt::format(", {} not compared", left_out);
    text += "; " + rows_word(rows);
    if (report.sample_percent > 0) text += fmt::format(", a sample of {} %,", report.sample_percent);
    return text + fmt::format(" in {:.1f} s\n", report.seconds);
}

std::string to_json(const CompareReport& report, bool show_values) {
    JsonText out;
    out.raw('{');
    out.lsn("lsn", report.lsn);
    out.text("worker", report.worker);
    out.boolean("equal", report.equal());
    out.key("seconds");
    out.raw(fmt::format("{:.1f}", report.seconds));
    if (report.sample_percent > 0) {
        out.key("sample_percent");
        out.raw(fmt::format("{}", report.sample_percent));
    }
    append_objects(out, "tables", report.tables,
                   [&](const TableReport& table) { append_table(out, table, show_values); });
    out.raw("}\n");
    return std::string(out.view());
}

}  // namespace pgsluice
