#include "stream/group/table_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "sql/error.h"
#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

constexpr const char* table_record_key = "record";
constexpr std::string_view page_prefix = "record.";

constexpr std::array<std::pair<TableState, std::string_view>, 6> states{{
    {TableState::copy_due, "copy-due"},
    {TableState::copied, "copied"},
    {TableState::born_empty, "born-empty"},
    {TableState::not_copied, "not-copied"},
    {TableState::assumed, "assumed"},
    {TableState::left, "left"},
}};

TableState parse_state(const JsonFields& fields) {
    const std::string text = fields.text("state");
    const auto* const found = std::ranges::find(states, std::string_view(text), [](const auto& s) { return s.second; });
    if (found == states.end()) throw fields.bad("state", "of a kind this version does not know");
    return found->first;
}

void append_name(JsonText& out, const QualifiedName& name) {
    out.raw("\"schema\":");
    out.text(name.schema);
    out.raw(",\"table\":");
    out.text(name.table);
}

// The last one alone is what older versions know.
void append_came_as(JsonText& out, const std::vector<QualifiedName>& names) {
    if (names.empty()) return;
    out.raw(",\"came_as\":{");
    append_name(out, names.back());
    out.raw('}');
    if (names.size() == 1) return;
    out.raw(",\"came_as_before\":[");
    for (std::size_t i = 0; i + 1 < names.size(); ++i) {
        out.raw(i == 0 ? "{" : ",{");
        append_name(out, names[i]);
        out.raw('}');
    }
    out.raw(']');
}

void append(JsonText& out, const TableRecord& table) {
    out.raw("{\"oid\":");
    out.number(table.oid);
    out.raw(",\"created_xid\":");
    out.number(table.created_xid);
    out.raw(",\"capture\":");
    out.text(table.capture);
    out.raw(',');
    append_name(out, table.name);
    if (table.delivered_oid != table.oid) {
        out.raw(",\"delivered_as\":{\"oid\":");
        out.number(table.delivered_oid);
        out.raw(',');
        append_name(out, table.delivered_as);
        out.raw('}');
    }
    if (!table.rows_as.table.empty()) {
        out.raw(",\"rows_as\":{");
        append_name(out, table.rows_as);
        out.raw('}');
    }
    append_came_as(out, table.came_as);
    out.raw(",\"state\":");
    out.text(to_string(table.state));
    out.raw(",\"lsn\":");
    out.lsn(table.lsn);
    if (table.delivered_from != Lsn{}) {
        out.raw(",\"delivered_from\":");
        out.lsn(table.delivered_from);
    }
    if (table.epoch != 0) {
        out.raw(",\"epoch\":");
        out.number(table.epoch);
    }
    if (table.rows) {
        out.raw(",\"rows\":");
        out.number(*table.rows);
    }
    if (table.replaces) out.raw(",\"replaces\":true");
    if (!table.reason.empty()) {
        out.raw(",\"reason\":");
        out.text(table.reason);
    }
    out.raw('}');
}

QualifiedName read_name(const JsonFields& fields) { return {fields.text("schema"), fields.text("table")}; }

TableRecord read(const JsonFields& fields) {
    TableRecord table;
    table.oid = fields.unsigned_number<Oid>("oid");
    table.created_xid = fields.unsigned_number<std::uint32_t>("created_xid");
    table.capture = fields.text("capture");
    table.name = read_name(fields);
    const JsonFields delivered = fields.has("delivered_as") ? fields.object("delivered_as") : fields;
    table.delivered_as = read_name(delivered);
    table.delivered_oid = delivered.unsigned_number<Oid>("oid");
    if (fields.has("rows_as")) table.rows_as = read_name(fields.object("rows_as"));
    if (fields.has("came_as_before"))
        for (const auto name : fields.array("came_as_before"))
            table.came_as.push_back(read_name(JsonFields(name, "a former name")));
    if (fields.has("came_as")) table.came_as.push_back(read_name(fields.object("came_as")));
    table.state = parse_state(fields);
    table.lsn = fields.lsn("lsn");
    if (fields.has("delivered_from")) table.delivered_from = fields.lsn("delivered_from");
    if (fields.has("epoch")) table.epoch = fields.unsigned_number<std::uint64_t>("epoch");
    if (fields.has("rows")) table.rows = fields.unsigned_number<std::uint64_t>("rows");
    table.replaces = fields.has("replaces") && fields.boolean("replaces");
    if (fields.has("reason")) table.reason = fields.text("reason");
    return table;
}

// A page's number; nothing for keys of other things.
std::optional<Oid> page_of(std::string_view name) {
    if (!name.starts_with(page_prefix)) return std::nullopt;
    name.remove_prefix(page_prefix.size());
    Oid page = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), page);
    if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return page;
}

// Empty where it says nothing that can be read.
std::string decode_publication(std::string_view json) {
    try {
        return with_json_fields(json, "the bucket's key 'record'", [](const JsonFields& fields) {
            return fields.has("publication") ? fields.text("publication") : std::string();
        });
    } catch (const Error& error) {
        if (error.action() != Action::stop) throw;
        return {};
    }
}

std::string key_of(Oid page) { return std::string(page_prefix) + std::to_string(page); }

}  // namespace

std::string_view to_string(TableState state) {
    return std::ranges::find(states, state, [](const auto& s) { return s.first; })->second;
}

std::vector<QualifiedName> came_before(const TableRecord& before, Oid delivered_oid,
                                       const QualifiedName& delivered_as) {
    std::vector<QualifiedName> names = before.came_as;
    if (before.delivered_oid != delivered_oid) {
        std::erase(names, before.delivered_as);
        names.push_back(before.delivered_as);
    }
    std::erase(names, delivered_as);
    return names;
}

std::string encode(std::span<const TableRecord> page) {
    JsonText out;
    out.raw("{\"tables\":[");
    for (bool first = true; const TableRecord& table : page) {
        if (!std::exchange(first, false)) out.raw(",\n");
        append(out, table);
    }
    out.raw("]}");
    return std::string(out.view());
}

std::vector<TableRecord> decode_table_records(std::string_view json) {
    return with_json_fields(json, "a page of the bucket's record of tables", [](const JsonFields& fields) {
        std::vector<TableRecord> tables;
        for (const auto table : fields.array("tables"))
            tables.push_back(read(JsonFields(table, "an entry of the bucket's record of tables")));
        return tables;
    });
}

std::uint32_t decode_record_version(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'record'",
                            [](const JsonFields& fields) { return fields.unsigned_number<std::uint32_t>("version"); });
}

std::optional<std::map<Oid, TableRecord>> find_table_records(Broker& broker, const Names& names) {
    const TableRecords records(broker, names);
    if (!records.kept()) return std::nullopt;
    return records.all();
}

TableRecords::TableRecords(Broker& broker, const Names& names) : broker_(broker), names_(names) {
    const auto head = broker.kv_get(names, table_record_key);
    kept_ = head.has_value();
    if (head) publication_ = decode_publication(head->text);
    for (const std::string& name : broker.kv_keys(names)) {
        const auto page = page_of(name);
        if (!page) continue;
        const auto value = broker.kv_get(names, name);
        if (!value) continue;
        revisions_[*page] = value->revision;
        for (TableRecord& table : read_page(name, value->text)) tables_[table.oid] = std::move(table);
    }
}

std::vector<TableRecord> TableRecords::read_page(const std::string& name, std::string_view json) const {
    try {
        return decode_table_records(json);
    } catch (const Error& error) {
        throw stop_error(fmt::format("{} (KV key '{}')", error.what(), name),
                         fmt::format("Another program wrote the key. Remove the record with pgsluice repair --group {} "
                                     "--yes; the replicator then begins a new one and says what it assumes.",
                                     names_.group));
    }
}

void TableRecords::begin(std::vector<TableRecord> tables) {
    std::set<Oid> pages;
    for (const auto& [page, revision] : revisions_) pages.insert(page);
    tables_.clear();
    for (TableRecord& table : tables) {
        pages.insert(table_record_page(table.oid));
        tables_[table.oid] = std::move(table);
    }
    for (const Oid page : pages) write_page(page);
    if (kept_) return;
    write_head();
    kept_ = true;
}

void TableRecords::note_publication(const std::string& version) {
    if (std::exchange(publication_, version) != version && kept_) write_head();
}

void TableRecords::set(std::span<const TableRecord> tables) {
    std::set<Oid> pages;
    for (const TableRecord& table : tables) {
        TableRecord& before = tables_[table.oid];
        if (before == table) continue;
        before = table;
        pages.insert(table_record_page(table.oid));
    }
    for (const Oid page : pages) write_page(page);
}

void TableRecords::forget(const std::set<Oid>& tables) {
    std::set<Oid> pages;
    for (const Oid table : tables)
        if (tables_.erase(table) > 0) pages.insert(table_record_page(table));
    for (const Oid page : pages) write_page(page);
}

const TableRecord* TableRecords::find(Oid oid) const {
    const auto found = tables_.find(oid);
    return found == tables_.end() ? nullptr : &found->second;
}

void TableRecords::write_head() {
    JsonText out;
    out.raw("{\"version\":1");
    if (!publication_.empty()) out.text("publication", publication_);
    out.raw('}');
    broker_.kv_put(names_, table_record_key, out.view());
}

void TableRecords::write_page(Oid page) {
    std::vector<TableRecord> tables;
    for (auto at = tables_.lower_bound(page * 1024); at != tables_.end() && table_record_page(at->first) == page; ++at)
        tables.push_back(at->second);
    const auto revision = broker_.kv_update(names_, key_of(page), encode(tables), revisions_[page]);
    if (!revision)
        throw retry_error(fmt::format(
            "unable to write the record of the tables of group '{}': another replicator of the group wrote it",
            names_.group));
    revisions_[page] = *revision;
}

}  // namespace pgsluice
