#include "stream/group/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/base/random_number.h"
#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

constexpr std::string_view key_prefix = "worker.";

std::string key_of(const std::string& name) { return std::string(key_prefix) + name; }

std::string new_session() { return fmt::format("{:016x}", random_number()); }

void append_checkpoint(JsonText& out, const Checkpoint& checkpoint) {
    out.raw('{');
    out.number("resume_seq", checkpoint.resume_seq.value);
    out.text("position", to_string(checkpoint.position));
    out.raw('}');
}

Checkpoint read_checkpoint(const JsonFields& entry, std::string_view name) {
    const auto fields = entry.object(name);
    const auto position = parse_position(fields.text("position"));
    if (!position) throw fields.bad("position", "not a position");
    return {{fields.unsigned_number<std::uint64_t>("resume_seq")}, *position};
}

void append_handover(JsonText& out, const Handover& handover) {
    out.raw(",\"handover\":{\"start\":");
    append_checkpoint(out, handover.start);
    out.number("loading_epoch", handover.loading_epoch);
    out.number("begin_seq", handover.begin_seq.value);
    out.raw(",\"parts\":[");
    for (const DeliveredPart& part : handover.parts) {
        out.raw(&part == handover.parts.data() ? "{\"of\":[" : ",{\"of\":[");
        for (const Share& share : part.of) {
            if (&share != part.of.data()) out.raw(',');
            out.text(share_worker("", share));
        }
        out.raw(']');
        out.number("from", part.from.value);
        out.text("position", to_string(part.position));
        out.raw('}');
    }
    out.raw("],\"before\":[");
    for (const std::string& worker : handover.before) {
        if (&worker != handover.before.data()) out.raw(',');
        out.text(worker);
    }
    out.raw("]}");
}

std::string text_in(const simdjson::dom::element& element, const JsonFields& fields, std::string_view name) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) throw fields.bad(name, "not a list of texts");
    return std::string(text);
}

Handover read_handover(const JsonFields& fields) {
    Handover out;
    out.start = read_checkpoint(fields, "start");
    out.loading_epoch = fields.unsigned_number<std::uint64_t>("loading_epoch");
    out.begin_seq = {fields.unsigned_number<std::uint64_t>("begin_seq")};
    for (const simdjson::dom::element element : fields.array("parts")) {
        const JsonFields in(element, "a worker's handover");
        DeliveredPart part;
        for (const simdjson::dom::element of : in.array("of"))
            part.of.push_back(parse_share_worker(text_in(of, in, "of")).share);
        part.from = {in.unsigned_number<std::uint64_t>("from")};
        const auto position = parse_position(in.text("position"));
        if (!position) throw in.bad("position", "not a position");
        part.position = *position;
        out.parts.push_back(std::move(part));
    }
    for (const simdjson::dom::element element : fields.array("before"))
        out.before.push_back(text_in(element, fields, "before"));
    return out;
}

void read_activity(const JsonFields& fields, WorkerEntry& entry) {
    if (fields.has("changes_per_second"))
        entry.changes_per_second = fields.unsigned_number<std::uint64_t>("changes_per_second");
    if (fields.has("applying_us")) entry.applying_us = fields.signed_number("applying_us");
    if (fields.has("last_error")) {
        entry.last_error = fields.text("last_error");
        entry.last_error_us = fields.signed_number("last_error_us");
    }
    if (fields.has("failed")) entry.failed = fields.boolean("failed");
    if (fields.has("starting_us")) entry.starting_us = fields.signed_number("starting_us");
}

}  // namespace

std::string encode(const WorkerEntry& entry) {
    JsonText out;
    out.raw('{');
    out.text("sink", entry.sink);
    out.raw(",\"applied\":");
    append_checkpoint(out, entry.applied);
    out.raw(",\"durable\":");
    append_checkpoint(out, entry.durable);
    if (entry.loading_epoch != 0) {
        out.number("loading_epoch", entry.loading_epoch);
        out.number("begin_seq", entry.begin_seq.value);
    }
    out.number("registered_us", entry.registered_us);
    out.number("reported_us", entry.reported_us);
    out.text("session", entry.session);
    if (!entry.waiting.empty()) out.text("waiting", entry.waiting);
    if (entry.changes_per_second) out.number("changes_per_second", *entry.changes_per_second);
    if (entry.applying_us != 0) out.number("applying_us", entry.applying_us);
    if (!entry.last_error.empty()) {
        out.text("last_error", entry.last_error);
        out.number("last_error_us", entry.last_error_us);
    }
    if (entry.failed) out.boolean("failed", true);
    if (entry.starting_us != 0) out.number("starting_us", entry.starting_us);
    if (entry.handover) append_handover(out, *entry.handover);
    if (entry.retired) out.boolean("retired", true);
    out.raw('}');
    return std::string(out.view());
}

WorkerEntry decode_worker(std::string_view name, std::string_view json) {
    const auto what = fmt::format("the registry's entry of worker '{}'", name);
    return with_json_fields(json, what, [name](const JsonFields& fields) {
        WorkerEntry entry;
        entry.name = name;
        entry.sink = fields.text("sink");
        entry.applied = read_checkpoint(fields, "applied");
        entry.durable = read_checkpoint(fields, "durable");
        if (fields.has("loading_epoch")) {
            entry.loading_epoch = fields.unsigned_number<std::uint64_t>("loading_epoch");
            entry.begin_seq = {fields.unsigned_number<std::uint64_t>("begin_seq")};
        }
        entry.registered_us = fields.signed_number("registered_us");
        entry.reported_us = fields.signed_number("reported_us");
        entry.session = fields.text("session");
        if (fields.has("waiting")) entry.waiting = fields.text("waiting");
        read_activity(fields, entry);
        if (fields.has("handover")) entry.handover = read_handover(fields.object("handover"));
        if (fields.has("retired")) entry.retired = fields.boolean("retired");
        return entry;
    });
}

StreamSeq needed_from(const WorkerEntry& worker) {
    const StreamSeq resume = worker.durable.resume_seq;
    return worker.loading_epoch == 0 ? resume : std::min(resume, worker.begin_seq);
}

const WorkerEntry* slowest(const std::vector<WorkerEntry>& workers) {
    const auto found = std::min_element(workers.begin(), workers.end(),
                                        [](const auto& a, const auto& b) { return needed_from(a) < needed_from(b); });
    return found == workers.end() ? nullptr : &*found;
}

std::optional<StreamSeq> keep_from(const std::vector<WorkerEntry>& workers, StreamSeq retained_from) {
    const auto* last = slowest(workers);
    if (last == nullptr) return std::nullopt;
    return std::min(needed_from(*last), retained_from);
}

std::int64_t WorkerRegistry::now_us() { return sql::postgres_time_us(); }

WorkerRegistry::WorkerRegistry(Broker& broker, Names names)
    : broker_(broker), names_(std::move(names)), session_(new_session()) {}

WorkerRegistry::Known WorkerRegistry::look(const std::string& name) {
    const auto value = broker_.kv_get(names_, key_of(name));
    if (!value) return {};
    const auto entry = read(name, value->text);
    return {value->revision, entry.registered_us, entry.session == session_, entry.session.empty() && !entry.retired};
}

bool WorkerRegistry::report(WorkerEntry entry) {
    if (!broker_.connected()) return false;
    entry.session = session_;
    entry.reported_us = now_us();
    try {
        auto known = known_.find(entry.name);
        if (known == known_.end()) known = known_.emplace(entry.name, look(entry.name)).first;
        // A second round when the key has changed: removed by hand, set by us without the answer reaching us, or
        // amended before our first report.
        for (int round = 0; round < 2; ++round) {
            auto& last = known->second;
            entry.registered_us = last.registered_us == 0 ? entry.reported_us : last.registered_us;
            if (const auto revision = broker_.kv_update(names_, key_of(entry.name), encode(entry), last.revision)) {
                last = {*revision, entry.registered_us, true, false};
                return true;
            }
            const auto found = look(entry.name);
            const bool ours = found.ours || (found.free && !last.ours);
            if (found.revision == 0 ? replaced(entry.name) : !ours) break;
            last = found;
        }
    } catch (const Error& error) {
        if (error.action() != Action::retry) throw;
        known_.erase(entry.name);
        return false;
    }
    known_.erase(entry.name);
    throw retry_error(
        fmt::format("unable to report as worker '{}': another worker of this name is running", entry.name),
        "Give each worker of a group its own --worker-name.");
}

void WorkerRegistry::leave(const std::string& name, const std::string& error, bool tries_again) noexcept {
    try {
        if (!broker_.connected()) return;
        const auto value = broker_.kv_get(names_, key_of(name));
        if (!value) return;
        auto entry = decode_worker(name, value->text);
        if (entry.session != session_) return;
        entry.session.clear();
        entry.waiting.clear();
        entry.failed = !error.empty() && !tries_again;
        if (tries_again) entry.starting_us = now_us();
        if (!error.empty()) {
            entry.last_error = error;
            entry.last_error_us = now_us();
        }
        broker_.kv_update(names_, key_of(name), encode(entry), value->revision);
    } catch (...) {  // the next worker of the name then waits
    }
}

void WorkerRegistry::amend(const std::string& name, std::chrono::microseconds silence,
                           const std::function<void(WorkerEntry&)>& change) {
    const auto value = broker_.kv_get(names_, key_of(name));
    if (!value) return;
    WorkerEntry entry = read(name, value->text);
    if (entry.runs(now_us(), silence) || entry.retired) return;
    entry.session.clear();
    change(entry);
    broker_.kv_update(names_, key_of(name), encode(entry), value->revision);
}

std::vector<std::string> WorkerRegistry::names() {
    std::vector<std::string> names;
    for (const auto& key : broker_.kv_keys(names_))
        if (key.starts_with(key_prefix)) names.push_back(key.substr(key_prefix.size()));
    return names;
}

std::vector<WorkerEntry> WorkerRegistry::list(std::vector<std::string>* unreadable) {
    return list(names(), unreadable);
}

std::vector<WorkerEntry> WorkerRegistry::family(const std::string& base) {
    auto all = names();
    std::erase_if(all, [&](const std::string& name) { return parse_share_worker(name).base != base; });
    return list(all, nullptr);
}

bool WorkerRegistry::replaced(const std::string& name) {
    const ShareWorker own = parse_share_worker(name);
    return std::ranges::any_of(names(), [&](const std::string& other) {
        const ShareWorker one = parse_share_worker(other);
        return one.base == own.base && !one.share.same_set(own.share);
    });
}

bool WorkerRegistry::retire(const WorkerEntry& entry) {
    const auto value = broker_.kv_get(names_, key_of(entry.name));
    if (!value || read(entry.name, value->text) != entry) return false;
    WorkerEntry retired = entry;
    retired.session.clear();
    retired.waiting.clear();
    retired.retired = true;
    retired.reported_us = now_us();
    return broker_.kv_update(names_, key_of(entry.name), encode(retired), value->revision).has_value();
}

void WorkerRegistry::prepare(const WorkerEntry& entry) {
    broker_.kv_update(names_, key_of(entry.name), encode(entry), 0);
}

std::vector<WorkerEntry> WorkerRegistry::list(const std::vector<std::string>& names,
                                              std::vector<std::string>* unreadable) {
    std::vector<WorkerEntry> workers;
    for (const auto& name : names) {
        const auto value = broker_.kv_get(names_, key_of(name));
        if (!value) continue;
        try {
            workers.push_back(read(name, value->text));
        } catch (const Error&) {
            if (unreadable == nullptr) throw;
            unreadable->push_back(name);
        }
    }
    std::sort(workers.begin(), workers.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return workers;
}

std::optional<WorkerEntry> WorkerRegistry::find(const std::string& name) {
    const auto value = broker_.kv_get(names_, key_of(name));
    if (!value) return std::nullopt;
    return read(name, value->text);
}

WorkerEntry WorkerRegistry::read(const std::string& name, std::string_view json) const {
    try {
        return decode_worker(name, json);
    } catch (const Error& error) {
        throw stop_error(error.what(), fmt::format("Another program wrote the KV key '{}'. Remove it: pgsluice forget "
                                                   "--group {} --worker-name {}",
                                                   key_of(name), names_.group, name));
    }
}

bool WorkerRegistry::remove(const std::string& name) {
    known_.erase(name);
    if (!broker_.kv_get(names_, key_of(name))) return false;
    broker_.kv_delete(names_, key_of(name));
    return true;
}

}  // namespace pgsluice
