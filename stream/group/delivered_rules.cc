#include "stream/group/delivered_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "sql/error.h"
#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

void append_field(JsonText& out, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out.raw(",\"");
    out.raw(name);
    out.raw("\":");
    out.text(value);
}

void append_column(JsonText& out, const DeliveredColumn& column) {
    out.raw("{\"name\":");
    out.text(column.name);
    if (column.number != 0) {
        out.raw(",\"number\":");
        out.number(column.number);
    }
    append_field(out, "rules", column.rules);
    append_field(out, "filters", column.filters);
    out.raw('}');
}

std::string optional_text(const JsonFields& fields, std::string_view name) {
    return fields.has(name) ? fields.text(name) : std::string{};
}

DeliveredColumn read_column(const JsonFields& fields) {
    DeliveredColumn column;
    column.name = fields.text("name");
    if (fields.has("number")) column.number = fields.unsigned_number<std::int16_t>("number");
    column.rules = optional_text(fields, "rules");
    column.filters = optional_text(fields, "filters");
    return column;
}

std::string read_name(const simdjson::dom::element& element, const JsonFields& fields) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) throw fields.bad("came_as", "not a list of texts");
    return std::string(text);
}

bool is_lost(const std::string& before, const std::string& now) {
    return !before.empty() && before != now && now != "excluded";
}

const DeliveredColumn* same_column(const DeliveredRules& rules, const DeliveredColumn& column) {
    const auto found = std::ranges::find_if(rules.columns, [&](const DeliveredColumn& other) {
        const bool numbered = column.number != 0 && other.number != 0;
        return numbered ? column.number == other.number : column.name == other.name;
    });
    return found == rules.columns.end() ? nullptr : &*found;
}

}  // namespace

std::string encode(const DeliveredRules& rules) {
    JsonText out;
    out.raw("{\"table\":");
    out.text(rules.table);
    append_field(out, "target", rules.target);
    append_field(out, "operations", rules.operations);
    if (rules.mixed) out.raw(",\"mixed\":true");
    out.raw(",\"columns\":[");
    for (bool first = true; const auto& column : rules.columns) {
        if (!std::exchange(first, false)) out.raw(',');
        append_column(out, column);
    }
    out.raw(']');
    for (bool first = true; const std::string& name : rules.came_as) {
        out.raw(std::exchange(first, false) ? ",\"came_as\":[" : ",");
        out.text(name);
    }
    out.raw(rules.came_as.empty() ? "}" : "]}");
    return std::string(out.view());
}

DeliveredRules decode_delivered_rules(std::string_view json) {
    constexpr std::string_view what = "the note of a table's rules";
    return with_json_fields(json, what, [&](const JsonFields& fields) {
        DeliveredRules rules;
        rules.table = fields.text("table");
        rules.target = optional_text(fields, "target");
        rules.operations = optional_text(fields, "operations");
        rules.mixed = fields.has("mixed") && fields.boolean("mixed");
        for (const auto element : fields.array("columns"))
            rules.columns.push_back(read_column(JsonFields(element, what)));
        if (fields.has("came_as"))
            for (const auto element : fields.array("came_as")) rules.came_as.push_back(read_name(element, fields));
        return rules;
    });
}

std::vector<std::string> differences(const DeliveredRules& before, const DeliveredRules& now) {
    if (before.mixed || now.mixed) return {"rows from before and after an earlier change"};
    std::vector<std::string> found;
    if (before.target != now.target) found.emplace_back("the target");
    if (before.operations != now.operations) found.emplace_back("the operations");
    for (const DeliveredColumn& column : now.columns) {
        const DeliveredColumn* then = same_column(before, column);
        // A renamed column is the schema history's to judge: it knows which name the rules were written for.
        if (then == nullptr || then->name != column.name) continue;
        if (then->rules != column.rules) found.push_back(fmt::format("column '{}'", column.name));
        if (then->filters != column.filters) found.push_back(fmt::format("the filter on '{}'", column.name));
    }
    return found;
}

std::vector<std::string> no_longer_hidden(const DeliveredRules& before, const DeliveredRules& now) {
    std::vector<std::string> found;
    if (is_lost(before.target, now.target)) found.emplace_back("the target");
    if (is_lost(before.operations, now.operations)) found.emplace_back("the operations");
    for (const DeliveredColumn& column : now.columns) {
        const DeliveredColumn* then = same_column(before, column);
        if (then == nullptr) continue;
        if (is_lost(then->rules, column.rules)) found.push_back(fmt::format("column '{}'", column.name));
        if (is_lost(then->filters, column.filters)) found.push_back(fmt::format("the filter on '{}'", column.name));
    }
    return found;
}

DeliveredRules of_both(const DeliveredRules& one, const DeliveredRules& other) {
    DeliveredRules both = one;
    both.mixed = !differences(one, other).empty() || !no_longer_hidden(one, other).empty() ||
                 !no_longer_hidden(other, one).empty();
    for (const DeliveredColumn& column : other.columns)
        if (same_column(one, column) == nullptr) both.columns.push_back(column);
    std::erase_if(both.came_as, [&](const std::string& name) {
        return std::ranges::find(other.came_as, name) == other.came_as.end();
    });
    return both;
}

std::map<Oid, std::string> of_both(std::map<Oid, std::string> one, const std::map<Oid, std::string>& other) {
    const std::uint64_t reloads = std::max(reloads_in(one), reloads_in(other));
    for (const auto& [table, note] : other) {
        const auto [known, added] = one.try_emplace(table, note);
        if (table == note_of_no_table)
            known->second = encode_reloads(reloads);
        else if (!added && known->second != note)
            known->second = encode(of_both(decode_delivered_rules(known->second), decode_delivered_rules(note)));
    }
    return one;
}

std::string encode_reloads(std::uint64_t reloads) {
    return reloads == 0 ? "{}" : fmt::format("{{\"reloads\":{}}}", reloads);
}

std::uint64_t reloads_in(const std::map<Oid, std::string>& notes) {
    const auto found = notes.find(note_of_no_table);
    if (found == notes.end()) return 0;
    return with_json_fields(found->second, "the note of a worker's reloads", [](const JsonFields& fields) {
        return fields.has("reloads") ? fields.unsigned_number<std::uint64_t>("reloads") : std::uint64_t{0};
    });
}

DeliveredRulesKeys::DeliveredRulesKeys(Broker& broker, const Names& names, Prefix prefix)
    : broker_(broker), names_(names), prefix_(std::move(prefix.text)) {}

DeliveredRulesKeys::DeliveredRulesKeys(Broker& broker, const Names& names, const std::string& worker)
    : DeliveredRulesKeys(broker, names, Prefix{fmt::format("rules.{}.", worker)}) {}

DeliveredRulesKeys DeliveredRulesKeys::of_source(Broker& broker, const Names& names) {
    return {broker, names, Prefix{"rules_of_source."}};
}

std::vector<std::string> DeliveredRulesKeys::keys() {
    std::vector<std::string> keys = broker_.kv_keys(names_);
    std::erase_if(keys, [this](const std::string& key) { return !key.starts_with(prefix_); });
    return keys;
}

std::map<Oid, std::string> DeliveredRulesKeys::load() {
    std::map<Oid, std::string> tables;
    for (const std::string& key : keys()) {
        Oid oid = 0;
        const auto [end, error] = std::from_chars(key.data() + prefix_.size(), key.data() + key.size(), oid);
        if (error != std::errc{} || end != key.data() + key.size()) continue;
        auto kept = broker_.kv_get(names_, key);
        if (!kept) continue;
        check(key, oid, kept->text);
        tables[oid] = std::move(kept->text);
    }
    return tables;
}

void DeliveredRulesKeys::check(const std::string& key, Oid table, const std::string& json) const {
    try {
        if (table == note_of_no_table)
            static_cast<void>(reloads_in({{table, json}}));
        else
            static_cast<void>(decode_delivered_rules(json));
    } catch (const Error& error) {
        throw stop_error(fmt::format("{} (KV key '{}')", error.what(), key),
                         fmt::format("Another program wrote the key. Remove it with pgsluice repair --group {} --yes; "
                                     "the table's rows then count as delivered by the rules as they are now.",
                                     names_.group));
    }
}

void DeliveredRulesKeys::put(Oid table, std::string_view json) {
    if (!broker_.takes_value(json.size()))
        throw stop_error(
            fmt::format("unable to note the rules of the table with oid {}: it takes {} bytes, and the NATS "
                        "server's max_payload is {}",
                        table, json.size(), broker_.max_payload()),
            "Raise max_payload in nats-server's configuration.");
    broker_.kv_put(names_, fmt::format("{}{}", prefix_, table), json);
}

void DeliveredRulesKeys::clear_but_count() {
    const std::string count = fmt::format("{}{}", prefix_, note_of_no_table);
    const auto kept = broker_.kv_get(names_, count);
    if (!kept) return clear();
    check(count, note_of_no_table, kept->text);
    put(note_of_no_table, encode_reloads(reloads_in({{note_of_no_table, kept->text}}) + 1));
    for (const std::string& key : keys())
        if (key != count) broker_.kv_delete(names_, key);
}

void DeliveredRulesKeys::clear() {
    for (const std::string& key : keys()) broker_.kv_delete(names_, key);
}

}  // namespace pgsluice
