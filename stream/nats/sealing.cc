// Broker's calls for sealed groups.
#include <algorithm>

#include "stream/broker.h"
#include "stream/nats/bucket_cache.h"
#include "stream/nats/link.h"
#include "stream/nats/seals.h"

namespace pgsluice {

using namespace nats;

void Broker::check_sealed(const Names& names) {
    if (!seals_.keyed()) {
        static_cast<void>(kv_get(names, SealRecord::key));  // throws when it is signed
        return;
    }
    const auto state = stream_state(names.stream);
    if (state && state->messages > 0 && !seals_.record(*link_, names.stream)) throw not_sealed(names.stream);
}

void Broker::remove_unsigned_keys(const Names& names) {
    if (!seals_.keyed()) return;
    const auto store = buckets_->find(names);
    if (store == nullptr) return;
    for (const std::string& key : kv_keys(names)) {
        const auto text = kv_get_stored(names, key);
        if (text && !seals_.is_ours({names.bucket, key}, text->text)) kv_delete(names, key);
    }
}

void Broker::seal_stream(const Names& names, bool over) {
    if (!seals_.keyed()) return check_sealed(names);
    const auto state = stream_state(names.stream);
    const StreamSeq last = state ? state->last_seq : StreamSeq{0};
    const auto found = seals_.record(*link_, names.stream);
    const bool begins = over || last.value == 0;
    if (!found && !begins) throw not_sealed(names.stream);
    SealRecord record = found ? *found : SealRecord{};
    if (begins) record.begin_run({last.value + 1});
    const std::string& key = seals_.keys().first().id;
    if (!record.knows_key(key)) record.keys.push_back(key);
    if (found && *found == record) return;
    kv_put(names, SealRecord::key, encode(record));
    seals_.keep(names.stream, std::move(record));
}

namespace {

// As NATS passes it on.
std::string trimmed(std::string_view value) {
    while (value.starts_with(' ')) value.remove_prefix(1);
    while (value.ends_with(' ')) value.remove_suffix(1);
    return std::string(value);
}

HeaderList without_seal(const std::vector<std::pair<std::string, std::string>>& headers) {
    HeaderList list;
    for (const auto& [name, value] : headers)
        if (name != SealHeader::name) list.emplace_back(name.c_str(), trimmed(value));
    std::ranges::sort(list, {}, [](const auto& header) { return std::string_view(header.first); });
    return list;
}

}  // namespace

void Broker::publish_dead_letter(const Names& names, std::string_view body,
                                 const std::vector<std::pair<std::string, std::string>>& headers) {
    if (!seals_.keyed()) {
        publish_one(names.dead_letter_subject, body, headers);
        return;
    }
    auto letter = seals_.seal_letter({names.dead_letters, names.dead_letter_subject, {}}, without_seal(headers), body);
    auto more = headers;
    more.emplace_back(SealHeader::name, std::move(letter.seal));
    publish_one(names.dead_letter_subject, letter.body, more);
}

std::optional<StoredMessage> Broker::dead_letter(const Names& names, StreamSeq seq) {
    auto message = stored_message(names.dead_letters, seq);
    if (!message) return message;
    std::string_view seal;
    for (const auto& [name, value] : message->headers)
        if (name == SealHeader::name) seal = value;
    if (!seals_.keyed()) {
        if (!seal.empty()) throw sealed_without_keys(fmt::format("stream '{}'", names.dead_letters));
        return message;
    }
    const SealPlace place{names.dead_letters, names.dead_letter_subject, {}};
    if (seals_.open_letter(place, without_seal(message->headers), seal, message->body)) return message;
    message->fault = seal.empty() ? "it is not sealed" : "its seal is broken, or its key is not in --stream-key-file";
    message->body.clear();
    return message;
}

}  // namespace pgsluice
