// How a message's body is sealed (FORMAT.md, "Sealed streams").
//
// AES-256-GCM needs a nonce that is never used twice under one key. A Sealer, of which there is one for each run of a
// publisher, draws 128 random bits (the salt) and seals under a key of its own, HMAC-SHA-256(stream key, salt); under
// that key the nonce is the message's sequence, and a publisher seals one message for each sequence: one that is sent
// again is the same bytes. So there is no counter to keep over restarts, and no bound on the number of messages: two of
// 2^48 runs have the same salt with a chance of 2^-33.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "stream/format/headers.h"
#include "stream/position.h"
#include "stream/seal/cipher.h"
#include "stream/seal/stream_keys.h"

namespace pgsluice {

// The header Pgsluice-Sealed: "1 <key id> <run> <salt>", the last two in hexadecimal digits.
struct SealHeader {
    static constexpr const char* name = "Pgsluice-Sealed";

    std::string key_id;
    std::string run;   // of the stream (seal_record.h); "-" for a dead letter
    std::string salt;  // 32 digits

    bool operator==(const SealHeader&) const = default;
};

std::string to_text(const SealHeader& header);
std::optional<SealHeader> parse_seal_header(std::string_view text);

// What a body is bound to beside its headers.
struct SealPlace {
    std::string_view stream;
    std::string_view subject;
    StreamSeq seq;  // 0 for a dead letter, which has no place of its own
};

// The data that is authenticated with a body; every line ends in a newline, which no part of it holds.
std::string associated_data(const SealPlace& place, const SealHeader& seal, const HeaderList& headers);

class Sealer {
   public:
    Sealer(const StreamKey& key, std::string run);

    [[nodiscard]] const SealHeader& header() const noexcept { return header_; }
    // Once for each sequence.
    [[nodiscard]] std::string seal(const SealPlace& place, const HeaderList& headers, std::string_view body);

   private:
    SealHeader header_;
    Gcm gcm_;
};

// Opens bodies; keeps the keys of the latest runs. One thread at a time.
class Opener {
   public:
    // In place, as Gcm::open().
    std::optional<std::size_t> open(const StreamKey& key, const SealHeader& seal, const SealPlace& place,
                                    const HeaderList& headers, char* body, std::size_t length);

   private:
    std::map<std::string, Gcm> runs_;  // by the text of the header
};

}  // namespace pgsluice
