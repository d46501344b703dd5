#include "stream/format/markers.h"

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/format/relation_json.h"

namespace pgsluice {

namespace {

std::string closed(JsonText& out) {
    out.raw("}\n");
    return std::string(out.view());
}

}  // namespace

std::string encode(const GroupInfo& info) {
    JsonText out;
    out.raw('{');
    out.text("group", info.group);
    out.text("system_identifier", info.system_identifier);
    out.number("timeline", info.timeline);
    out.text("dbname", info.dbname);
    out.text("server_version", info.server_version);
    out.text("program_version", info.program_version);
    out.number("format", info.format);
    return closed(out);
}

namespace {

void append_replaces(JsonText& out, const std::vector<std::uint32_t>& tables) {
    out.raw(",\n\"replaces\":[");
    for (std::size_t i = 0; i < tables.size(); ++i) {
        if (i != 0) out.raw(',');
        out.number(tables[i]);
    }
    out.raw(']');
}

std::vector<std::uint32_t> read_replaces(const JsonFields& fields, std::size_t tables) {
    std::vector<std::uint32_t> found;
    for (const auto index : fields.array("replaces")) {
        std::uint64_t value = 0;
        if (index.get(value) != simdjson::SUCCESS || value >= tables)
            throw fields.bad("replaces", "not a list of the tables' numbers");
        found.push_back(static_cast<std::uint32_t>(value));
    }
    return found;
}

void append_tables(JsonText& out, const std::vector<Relation>& tables) {
    out.key("tables");
    out.raw('[');
    for (std::size_t i = 0; i < tables.size(); ++i) {
        out.raw(i == 0 ? "\n" : ",\n");
        append_relation(out, tables[i]);
    }
    out.raw(']');
}

void append_estimates(JsonText& out, const SnapshotBegin& begin) {
    out.raw(",\n\"estimated_bytes\":[");
    for (std::size_t i = 0; i < begin.estimated_bytes.size(); ++i) {
        if (i != 0) out.raw(',');
        out.number(begin.estimated_bytes[i]);
    }
    out.raw(']');
    if (!begin.replaces.empty()) append_replaces(out, begin.replaces);
    if (begin.time_us != 0) out.number("time_us", begin.time_us);
}

// The tables are in there, and not where they else are, so that an older reader stops and does not take the snapshot
// for one without rows.
void append_direct(JsonText& out, const DirectPlan& plan, const std::vector<Relation>& tables) {
    out.key("direct");
    out.raw('{');
    out.text("snapshot", plan.snapshot);
    out.number("range_pages", plan.range_pages);
    append_tables(out, tables);
    out.raw(",\n\"parts\":[");
    for (std::size_t i = 0; i < plan.parts.size(); ++i) {
        out.raw(i == 0 ? "\n{" : ",\n{");
        out.number("table", plan.parts[i].table);
        out.text("schema", plan.parts[i].schema);
        out.text("name", plan.parts[i].name);
        out.number("pages", plan.parts[i].pages);
        out.raw('}');
    }
    out.raw("]}");
}

std::string encode_begin(const SnapshotBegin& begin, const DirectPlan* plan) {
    JsonText out;
    out.raw('{');
    out.number("epoch", begin.epoch);
    out.lsn("consistent_point", begin.consistent_point);
    if (plan != nullptr)
        append_direct(out, *plan, begin.tables);
    else
        append_tables(out, begin.tables);
    append_estimates(out, begin);
    return closed(out);
}

}  // namespace

std::string encode(const SnapshotBegin& begin) { return encode_begin(begin, nullptr); }

std::string encode(const SnapshotBegin& begin, const DirectPlan& plan) { return encode_begin(begin, &plan); }

std::string encode(const SnapshotEnd& end) {
    JsonText out;
    out.raw('{');
    out.number("epoch", end.epoch);
    out.lsn("consistent_point", end.consistent_point);
    out.number("rows", end.rows);
    if (end.called_off) out.boolean("called_off", true);
    return closed(out);
}

namespace {

void append_progress(JsonText& out, const Progress& progress) {
    out.raw('{');
    out.lsn("lsn", progress.lsn);
    out.number("time_us", progress.time_us);
}

}  // namespace

std::string encode(const Progress& progress) {
    JsonText out;
    append_progress(out, progress);
    return closed(out);
}

std::string encode_dump_marker(const Progress& progress) {
    JsonText out;
    append_progress(out, progress);
    out.boolean("dump", true);
    return closed(out);
}

GroupInfo decode_group(std::string_view body) {
    return with_json_fields(body, "a group marker", [](const JsonFields& fields) {
        GroupInfo info;
        info.group = fields.text("group");
        info.system_identifier = fields.text("system_identifier");
        info.timeline = fields.unsigned_number<std::uint32_t>("timeline");
        info.dbname = fields.text("dbname");
        info.server_version = fields.text("server_version");
        info.program_version = fields.text("program_version");
        if (fields.has("format")) info.format = fields.unsigned_number<std::uint32_t>("format");
        return info;
    });
}

SnapshotBegin decode_snapshot_begin(std::string_view body) {
    return with_json_fields(body, "a snapshot-begin marker", [](const JsonFields& fields) {
        SnapshotBegin begin;
        begin.epoch = fields.unsigned_number<std::uint64_t>("epoch");
        begin.consistent_point = fields.lsn("consistent_point");
        for (const auto table : (fields.has("direct") ? fields.object("direct") : fields).array("tables")) {
            begin.tables.push_back(parse_relation(JsonFields(table, "a table of a snapshot-begin marker")));
        }
        for (const auto bytes : fields.array("estimated_bytes")) {
            std::uint64_t value = 0;
            if (bytes.get(value) != simdjson::SUCCESS) throw fields.bad("estimated_bytes", "not a list of numbers");
            begin.estimated_bytes.push_back(value);
        }
        if (fields.has("replaces")) begin.replaces = read_replaces(fields, begin.tables.size());
        if (fields.has("time_us")) begin.time_us = fields.signed_number("time_us");
        return begin;
    });
}

SnapshotEnd decode_snapshot_end(std::string_view body) {
    return with_json_fields(body, "a snapshot-end marker", [](const JsonFields& fields) {
        SnapshotEnd end;
        end.epoch = fields.unsigned_number<std::uint64_t>("epoch");
        end.consistent_point = fields.lsn("consistent_point");
        end.rows = fields.unsigned_number<std::uint64_t>("rows");
        end.called_off = fields.has("called_off") && fields.boolean("called_off");
        return end;
    });
}

Progress decode_progress(std::string_view body) {
    return with_json_fields(body, "a progress marker", [](const JsonFields& fields) {
        Progress progress;
        progress.lsn = fields.lsn("lsn");
        progress.time_us = fields.signed_number("time_us");
        return progress;
    });
}

bool is_dump_marker(std::string_view body) {
    try {
        return with_json_fields(body, "a progress marker",
                                [](const JsonFields& fields) { return fields.has("dump") && fields.boolean("dump"); });
    } catch (const Error&) {
        return false;
    }
}

}  // namespace pgsluice
