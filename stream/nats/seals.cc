#include "stream/nats/seals.h"

#include <utility>

#include "stream/nats/link.h"
#include "stream/nats/message.h"

namespace pgsluice::nats {

namespace {

constexpr const char* not_authentic = "not authentic";

// The bucket of a stream has its name.
Error unknown_key(const std::string& what, std::string_view id, const StreamKeys& keys) {
    return stop_error(
        fmt::format("unable to read {}: it is sealed with key '{}', which --stream-key-file '{}' does not "
                    "hold",
                    what, id, keys.file()),
        fmt::format("Add the line of key '{}' to the file.", id));
}

}  // namespace

Error sealed_without_keys(const std::string& what) {
    return stop_error(fmt::format("unable to read {}: the group's stream is sealed", what),
                      "Give --stream-key-file, the file that the group's replicator has.");
}

Error not_sealed(const std::string& stream) {
    return stop_error(
        fmt::format("unable to read stream '{}': the KV bucket has no record that it is sealed, and --stream-key-file "
                    "is given",
                    stream),
        "If it never was sealed, leave --stream-key-file out. Otherwise the record was lost: start the group's "
        "replicator once with --copy-and-stream --resnapshot --stream-key-file.");
}

Seals::Seals(const std::string& key_file) {
    if (!key_file.empty()) keys_ = StreamKeys::load(key_file);
}

std::shared_ptr<const SealRecord> Seals::load(const Link& link, const std::string& stream) const {
    const std::string what = fmt::format("the KV key '{}' of bucket '{}'", SealRecord::key, stream);
    kvStore* opened = nullptr;
    const auto status = js_KeyValue(&opened, link.js(), stream.c_str());
    const std::unique_ptr<kvStore, Destroy<kvStore_Destroy>> store(opened);
    if (status == NATS_NOT_FOUND) return nullptr;
    nats::check(status, "read " + what);
    kvEntry* made = nullptr;
    const auto found = kvStore_Get(&made, store.get(), SealRecord::key);
    const KvEntry entry(made);
    if (found == NATS_NOT_FOUND) return nullptr;
    nats::check(found, "read " + what);
    const std::string_view text(static_cast<const char*>(kvEntry_Value(made)),
                                static_cast<std::size_t>(kvEntry_ValueLen(made)));
    const auto value = split_value(text);
    const auto* key = value ? keys_->find(value->key_id) : nullptr;
    if (value && key == nullptr) throw unknown_key(what, value->key_id, *keys_);
    if (!value || !is_authentic(*key, {stream, SealRecord::key}, *value))
        throw stop_error(fmt::format("unable to read {}: it was not written with the keys of --stream-key-file '{}'",
                                     what, keys_->file()),
                         "Give the file that the group's replicator has. If another program wrote the key, run the "
                         "replicator once with --copy-and-stream --resnapshot.");
    return std::make_shared<const SealRecord>(decode_seal_record(value->value));
}

std::shared_ptr<const SealRecord> Seals::record(const Link& link, const std::string& stream) {
    {
        const std::lock_guard lock(mutex_);
        if (record_ && stream_ == stream) return record_;
    }
    auto loaded = load(link, stream);
    const std::lock_guard lock(mutex_);
    stream_ = stream;
    record_ = loaded;
    return loaded;
}

void Seals::keep(const std::string& stream, SealRecord record) {
    const std::lock_guard lock(mutex_);
    stream_ = stream;
    record_ = std::make_shared<const SealRecord>(std::move(record));
}

// The replicator may have written another one since.
std::shared_ptr<const SealRecord> Seals::record_with(const Link& link, const std::string& stream,
                                                     const SealHeader& seal, StreamSeq seq) {
    const auto fits = [&](const SealRecord& record) {
        const auto* run = record.run_of(seq);
        return run != nullptr && run->id == seal.run && (record.knows_key(seal.key_id) || keys_->find(seal.key_id));
    };
    auto known = record(link, stream);
    if (!known || fits(*known)) return known;
    {
        const std::lock_guard lock(mutex_);
        record_.reset();
    }
    return record(link, stream);
}

std::optional<std::string_view> Seals::open(const Link& link, const std::string& stream, natsMsg& msg, StreamSeq seq,
                                            const ParsedHeaders& headers, std::string& why) {
    const char* text = nullptr;
    const auto seal = natsMsgHeader_Get(&msg, SealHeader::name, &text) == NATS_OK ? parse_seal_header(text)
                                                                                  : std::optional<SealHeader>();
    if (!seal) {
        why = "it is not sealed";
        return std::nullopt;
    }
    const auto known = record_with(link, stream, *seal, seq);
    const auto* run = known ? known->run_of(seq) : nullptr;
    if (run == nullptr || run->id != seal->run) {
        why = known ? "it is sealed for another stream" : "the stream has no record that it is sealed";
        return std::nullopt;
    }
    if (headers.run != 0 && !seal->salt.starts_with(run_text(headers.run))) {
        why = "its header 'Pgsluice-Run' is not of its seal";
        return std::nullopt;
    }
    const StreamKey* key = keys_->find(seal->key_id);
    if (key == nullptr && known->knows_key(seal->key_id))
        throw unknown_key(fmt::format("message {} of stream '{}'", seq.value, stream), seal->key_id, *keys_);
    why = "its seal is broken";
    if (key == nullptr) return std::nullopt;
    // natsMsg has no other use for its bytes, and a copy of each body would cost more than opening it.
    char* body = const_cast<char*>(natsMsg_GetData(&msg));
    const auto length = static_cast<std::size_t>(natsMsg_GetDataLength(&msg));
    const auto list = message_headers(headers.meta, &headers.copy, headers.part, headers.follows, headers.encoding);
    const std::lock_guard lock(mutex_);
    const auto plain = opener_.open(*key, *seal, {stream, natsMsg_GetSubject(&msg), seq}, list, body, length);
    return plain ? std::optional(std::string_view(body, *plain)) : std::nullopt;
}

std::string Seals::sign(const ValuePlace& place, std::string_view value) const {
    return keys_ ? sign_value(keys_->first(), place, value) : std::string(value);
}

std::string Seals::check(const ValuePlace& place, std::string text) const {
    const auto value = split_value(text);
    const std::string what = fmt::format("the KV key '{}' of bucket '{}'", place.key, place.bucket);
    if (!keys_) {
        if (value)
            throw stop_error(sealed_without_keys(what).what(),
                             fmt::format("{} If the group is not sealed, another program wrote the key: remove it with "
                                         "`nats kv del {} {} -f`.",
                                         sealed_without_keys(what).hint(), place.bucket, place.key));
        return text;
    }
    return is_ours(place, text) ? std::string(value->value) : not_authentic;
}

bool Seals::is_ours(const ValuePlace& place, std::string_view text) const {
    const auto value = split_value(text);
    const StreamKey* key = value ? keys_->find(value->key_id) : nullptr;
    return key != nullptr && is_authentic(*key, place, *value);
}

Seals::Letter Seals::seal_letter(const SealPlace& place, const HeaderList& headers, std::string_view body) const {
    Sealer sealer(keys_->first(), "-");
    return {to_text(sealer.header()), sealer.seal(place, headers, body)};
}

bool Seals::open_letter(const SealPlace& place, const HeaderList& headers, std::string_view seal,
                        std::string& body) const {
    const auto header = parse_seal_header(seal);
    const StreamKey* key = header ? keys_->find(header->key_id) : nullptr;
    if (key == nullptr) return false;
    const auto plain = Opener().open(*key, *header, place, headers, body.data(), body.size());
    if (!plain) return false;
    body.resize(*plain);
    return true;
}

}  // namespace pgsluice::nats
