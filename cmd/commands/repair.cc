#include "cmd/commands/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>

#include "cmd/commands/repair_stream.h"
#include "cmd/terminal/say.h"
#include "sql/error.h"
#include "sql/lsn.h"
#include "stream/format/block_reader.h"
#include "stream/format/markers.h"
#include "stream/group/compare_keys.h"
#include "stream/group/copy_request.h"
#include "stream/group/cutover_record.h"
#include "stream/group/ddl_keys.h"
#include "stream/group/ddl_record.h"
#include "stream/group/delivered_rules.h"
#include "stream/group/direct_copy.h"
#include "stream/group/last_changes.h"
#include "stream/group/references.h"
#include "stream/group/registry.h"
#include "stream/group/schema_history.h"
#include "stream/group/snapshot_start.h"
#include "stream/group/table_record.h"
#include "stream/group/tables.h"
#include "worker/dead_letters/letter.h"

namespace pgsluice {

namespace {

void check_number(std::string_view /*key*/, std::string_view text) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
        throw stop_error("not a number");
}

// The key `rules.<worker>.0` is of no table.
void check_delivered_rules(std::string_view key, std::string_view value) {
    if (key.ends_with(".0"))
        static_cast<void>(reloads_in({{note_of_no_table, std::string(value)}}));
    else
        static_cast<void>(decode_delivered_rules(value));
}

// How a key's value is read: throws when it cannot be.
struct KnownKey {
    std::string_view key;  // or its prefix, which ends in a dot
    void (*read)(std::string_view key, std::string_view value);
};

constexpr std::array<KnownKey, 24> known_keys{{
    {"group", [](std::string_view, std::string_view value) { static_cast<void>(decode_group(value)); }},
    {"epoch", check_number},
    {"added_epoch", check_number},
    {"begin", [](std::string_view, std::string_view value) { static_cast<void>(decode_snapshot_start(value)); }},
    {"tables", [](std::string_view, std::string_view value) { static_cast<void>(decode_tables(value)); }},
    {"references", [](std::string_view, std::string_view value) { static_cast<void>(decode_references(value)); }},
    {"ddl", [](std::string_view, std::string_view value) { static_cast<void>(decode_ddl_record(value)); }},
    {"lsn",
     [](std::string_view, std::string_view value) {
         if (!parse_lsn(value)) throw stop_error("not an LSN");
     }},
    {"snapshot", [](std::string_view, std::string_view) {}},  // read by people only
    {"direct", [](std::string_view, std::string_view value) { static_cast<void>(decode_direct_copy(value)); }},
    {"last_changes", [](std::string_view, std::string_view value) { static_cast<void>(decode_last_changes(value)); }},
    {"worker.", [](std::string_view, std::string_view value) { static_cast<void>(decode_worker("", value)); }},
    {"seen.", [](std::string_view, std::string_view value) { static_cast<void>(decode_seen_table(value)); }},
    {"compare.", [](std::string_view, std::string_view value) { static_cast<void>(decode_compare_request(value)); }},
    {"compared.", [](std::string_view, std::string_view value) { static_cast<void>(decode_compare_answer(value)); }},
    {"ddl_pending.", [](std::string_view, std::string_view value) { static_cast<void>(decode_pending_ddl(value)); }},
    {"ddl_decided.", [](std::string_view, std::string_view value) { static_cast<void>(decode_ddl_decided(value)); }},
    {"cutover", [](std::string_view, std::string_view value) { static_cast<void>(decode_cutover(value)); }},
    {"copy_request", [](std::string_view, std::string_view value) { static_cast<void>(decode_copy_request(value)); }},
    {"rules.", check_delivered_rules},
    {"rules_of_source.", check_delivered_rules},
    {"seen_by_source.", [](std::string_view, std::string_view value) { static_cast<void>(decode_seen_table(value)); }},
    {"record", [](std::string_view, std::string_view value) { static_cast<void>(decode_record_version(value)); }},
    {"record.", [](std::string_view, std::string_view value) { static_cast<void>(decode_table_records(value)); }},
}};

const KnownKey* find_known(std::string_view key) {
    const auto* found = std::find_if(known_keys.begin(), known_keys.end(), [&](const KnownKey& known) {
        return known.key.ends_with('.') ? key.starts_with(known.key) : key == known.key;
    });
    return found == known_keys.end() ? nullptr : found;
}

// Why it is not the group's own; empty when it is.
std::string fault_of(std::string_view key, std::string_view value) {
    const KnownKey* known = find_known(key);
    if (known == nullptr) return {};  // perhaps of a later version: nobody reads it here, so it does no harm
    try {
        known->read(key, value);
        return {};
    } catch (const Error& error) {
        return error.what();
    }
}

std::string fault_of(const DeadLetter& letter) {
    if (!letter.fault.empty()) return letter.fault;
    if (letter.worker.empty() || letter.position.empty()) return "no worker parked it";
    try {
        const auto block = BlockReader().read(letter.block);
        return block->changes.size() == 1 ? std::string() : "it does not hold one change";
    } catch (const Error& error) {
        return error.what();
    }
}

// A record with a page missing would have its tables copied again over rows that are there.
void remove_key(Broker& broker, const Names& names, const std::string& key) {
    broker.kv_delete(names, key);
    if (key != "record" && !key.starts_with("record.")) return;
    for (const std::string& other : broker.kv_keys(names))
        if (other == "record" || other.starts_with("record.")) broker.kv_delete(names, other);
}

}  // namespace

std::vector<Foreign> foreign_keys(Broker& broker, const Names& names) {
    std::vector<Foreign> found;
    for (const std::string& key : broker.kv_keys(names)) {
        const auto value = broker.kv_get(names, key);
        const std::string fault = value ? fault_of(key, value->text) : "";
        if (fault.empty()) continue;
        found.push_back(
            {fmt::format("KV key '{}': {}", key, fault), [&broker, names, key] { remove_key(broker, names, key); }});
    }
    return found;
}

std::vector<Foreign> foreign_letters(Broker& broker, const Names& names) {
    std::vector<Foreign> found;
    for (const DeadLetter& letter : read_dead_letters(broker, names, {})) {
        const std::string fault = fault_of(letter);
        if (fault.empty()) continue;
        found.push_back({fmt::format("message {} of stream '{}': {}", letter.seq.value, names.dead_letters, fault),
                         [&broker, names, seq = letter.seq] { broker.erase_message(names.dead_letters, seq); }});
    }
    return found;
}

void run_repair(Settings settings, const Log& log, std::stop_token stop) {
    const Names& names = settings.worker.names;
    const auto broker = Broker::connect(settings.nats, log, stop);
    std::vector<Foreign> found = foreign_messages(*broker, names, stop);
    std::ranges::move(foreign_keys(*broker, names), std::back_inserter(found));
    std::ranges::move(foreign_letters(*broker, names), std::back_inserter(found));
    if (found.empty()) say(fmt::format("group '{}' holds nothing foreign", names.group));
    for (const Foreign& each : found) {
        if (stop.stop_requested()) throw Interrupted{};
        if (settings.yes && each.remove) each.remove();
        const char* done = !each.remove ? "not removing" : settings.yes ? "removed" : "would remove";
        say(fmt::format("{} {}", done, each.what));
    }
    if (!found.empty() && !settings.yes) say("nothing was removed; add --yes to remove it");
}

}  // namespace pgsluice
