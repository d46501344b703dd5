// Sealing, as one connection does it: the keys it was given, and since when which stream is sealed.
//
// A stream that is sealed has a record of it in its bucket (stream/seal/seal_record.h). Whoever has keys reads only
// sealed messages of the runs in that record. Calls may come from several threads.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "stream/format/headers.h"
#include "stream/nats/connection/handle.h"
#include "stream/seal/seal_record.h"
#include "stream/seal/sealed_body.h"
#include "stream/seal/signed_value.h"

namespace pgsluice::nats {

class Link;

class Seals {
   public:
    // Empty: without keys.
    explicit Seals(const std::string& key_file);

    [[nodiscard]] bool keyed() const noexcept { return keys_.has_value(); }
    // Only where keyed().
    [[nodiscard]] const StreamKeys& keys() const noexcept { return *keys_; }

    // Nothing when the stream has no record. A stop Error when it was not written with our keys.
    std::shared_ptr<const SealRecord> record(const Link& link, const std::string& stream);
    // After it was written.
    void keep(const std::string& stream, SealRecord record);

    // Opens the body of a message with these headers in place and returns it; nothing when the replicator did not write
    // it, and in `why` how that shows. A stop Error when it is sealed with a key of the group that we do not have.
    std::optional<std::string_view> open(const Link& link, const std::string& stream, natsMsg& msg, StreamSeq seq,
                                         const ParsedHeaders& headers, std::string& why);

    // A value as it is stored, and back. A stop Error when it is sealed and we have no keys; otherwise a text that no
    // reader takes for a value when it is not authentic.
    [[nodiscard]] std::string sign(const ValuePlace& place, std::string_view value) const;
    [[nodiscard]] std::string check(const ValuePlace& place, std::string text) const;

    [[nodiscard]] bool is_ours(const ValuePlace& place, std::string_view text) const;

    // A dead letter.
    struct Letter {
        std::string seal;  // its header
        std::string body;
    };
    [[nodiscard]] Letter seal_letter(const SealPlace& place, const HeaderList& headers, std::string_view body) const;
    // False when it was not sealed so.
    [[nodiscard]] bool open_letter(const SealPlace& place, const HeaderList& headers, std::string_view seal,
                                   std::string& body) const;

   private:
    std::shared_ptr<const SealRecord> load(const Link& link, const std::string& stream) const;
    std::shared_ptr<const SealRecord> record_with(const Link& link, const std::string& stream, const SealHeader& seal,
                                                  StreamSeq seq);

    std::optional<StreamKeys> keys_;
    std::mutex mutex_;  // of the rest
    std::string stream_;
    std::shared_ptr<const SealRecord> record_;
    Opener opener_;
};

// What to say to someone who has no keys.
Error sealed_without_keys(const std::string& what);
// The group began without sealing.
Error not_sealed(const std::string& stream);

}  // namespace pgsluice::nats
