#include "tests/crash/line.h"

#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace pgsluice::test {
namespace {

using simdjson::dom::element;

simdjson::dom::parser& parser() {
    thread_local simdjson::dom::parser instance;
    return instance;
}

std::optional<std::int64_t> first_value(const element& line, std::string_view tuple) {
    simdjson::dom::object columns;
    if (line[tuple].get(columns) != simdjson::SUCCESS || columns.size() == 0) return std::nullopt;
    std::int64_t value = 0;
    if ((*columns.begin()).value.get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
}

// The row of a tuple, if there is that tuple.
void add_row(std::vector<std::string>& rows, const element& json, std::string_view tuple) {
    element columns;
    if (json[tuple].get(columns) != simdjson::SUCCESS || !columns.is_object()) return;
    auto row = std::string(std::string_view(json["Table"]));
    if (std::string_view(json["ReplicationKey"]["Type"]) != "FULL") {
        for (const element name : simdjson::dom::array(json["ReplicationKey"]["Columns"])) {
            row += ' ';
            row += simdjson::minify(columns[std::string_view(name)].value());
        }
    }
    if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(row);
}

Line read(const element& json) {
    Line line;
    line.position.commit = parse_lsn(std::string_view(json["LSN"])).value();
    line.position.ordinal = std::uint64_t(json["Ordinal"]);
    line.snapshot = bool(json["Snapshot"]);
    line.change.table = std::string_view(json["Table"]);
    line.change.type = std::string_view(json["Type"]);
    if (!line.snapshot) line.change.xid = static_cast<std::uint32_t>(std::uint64_t(json["TransactionId"]));
    const auto new_key = first_value(json, "NewTuple");
    line.change.key = new_key ? *new_key : first_value(json, "OldTuple").value_or(0);
    add_row(line.rows, json, "NewTuple");
    add_row(line.rows, json, "OldTuple");
    return line;
}

element parse(std::string_view text) {
    try {
        return parser().parse(text.data(), text.size());
    } catch (const simdjson::simdjson_error& error) {
        throw std::runtime_error(std::string(error.what()) + " in '" + std::string(text.substr(0, 500)) + "'");
    }
}

}  // namespace

Line parse_line(std::string_view text) {
    const element json = parse(text);
    try {
        return read(json);
    } catch (const std::exception& error) {
        throw std::runtime_error(std::string(error.what()) + " in '" + std::string(text.substr(0, 500)) + "'");
    }
}

std::vector<Line> parse_objects(std::string_view text) {
    const element json = parse(text);
    if (!json.is_array()) return {read(json)};
    std::vector<Line> lines;
    for (const element object : simdjson::dom::array(json)) lines.push_back(read(object));
    return lines;
}

}  // namespace pgsluice::test
