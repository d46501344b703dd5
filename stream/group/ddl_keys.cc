#include "stream/group/ddl_keys.h"

#include <utility>

#include "sql/error.h"
#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

constexpr std::string_view pending_prefix = "ddl_pending.";
constexpr std::string_view decided_prefix = "ddl_decided.";
constexpr std::size_t max_decisions = 1000;

void append_place(JsonText& out, const DdlPlace& place) {
    out.text("position", to_string(place.position));
    out.number("number", place.number);
}

DdlPlace read_place(const JsonFields& fields) {
    const auto position = parse_position(fields.text("position"));
    if (!position) throw fields.bad("position", "not a position");
    return {*position, fields.unsigned_number<std::size_t>("number")};
}

}  // namespace

std::string encode(const PendingDdl& pending) {
    JsonText out;
    out.raw('{');
    append_place(out, pending.place);
    out.text("kind", pending.kind);
    out.text("object", pending.object);
    out.text("text", pending.text);
    out.text("reason", pending.reason);
    out.raw('}');
    return std::string(out.view());
}

std::string encode(const DdlDecided& decided) {
    JsonText out;
    out.raw("{\"decisions\":[");
    for (bool first = true; const auto& [place, decision] : decided) {
        out.raw(std::exchange(first, false) ? "{" : ",{");
        append_place(out, place);
        out.text("decision", decision == DdlDecision::apply ? "apply" : "skip");
        out.raw('}');
    }
    out.raw("]}");
    return std::string(out.view());
}

PendingDdl decode_pending_ddl(std::string_view json) {
    return with_json_fields(json, "a command that waits for a decision", [](const JsonFields& fields) {
        return PendingDdl{read_place(fields), fields.text("kind"), fields.text("object"), fields.text("text"),
                          fields.text("reason")};
    });
}

DdlDecided decode_ddl_decided(std::string_view json) {
    return with_json_fields(json, "decisions about commands", [](const JsonFields& fields) {
        DdlDecided decided;
        for (const auto element : fields.array("decisions")) {
            const JsonFields one(element, "a decision about a command");
            const std::string decision = one.text("decision");
            if (decision != "apply" && decision != "skip") throw one.bad("decision", "not apply or skip");
            decided[read_place(one)] = decision == "apply" ? DdlDecision::apply : DdlDecision::skip;
        }
        return decided;
    });
}

DdlKeys::DdlKeys(Broker& broker, Names names, const std::string& worker)
    : broker_(broker),
      names_(std::move(names)),
      pending_key_(std::string(pending_prefix) + worker),
      decided_key_(std::string(decided_prefix) + worker) {}

std::optional<PendingDdl> DdlKeys::pending() {
    const auto value = broker_.kv_get(names_, pending_key_);
    return value ? std::optional(decode_pending_ddl(value->text)) : std::nullopt;
}

DdlDecided DdlKeys::decided() {
    const auto value = broker_.kv_get(names_, decided_key_);
    return value ? decode_ddl_decided(value->text) : DdlDecided{};
}

void DdlKeys::show(const PendingDdl& pending) { broker_.kv_put(names_, pending_key_, encode(pending)); }

void DdlKeys::decide(const DdlPlace& place, DdlDecision decision) {
    DdlDecided decided = this->decided();
    decided[place] = decision;
    while (decided.size() > max_decisions) decided.erase(decided.begin());
    broker_.kv_put(names_, decided_key_, encode(decided));
    broker_.kv_delete(names_, pending_key_);
}

std::vector<std::string> DdlKeys::workers_waiting(Broker& broker, const Names& names) {
    std::vector<std::string> workers;
    for (const std::string& key : broker.kv_keys(names))
        if (key.starts_with(pending_prefix)) workers.push_back(key.substr(pending_prefix.size()));
    return workers;
}

}  // namespace pgsluice
