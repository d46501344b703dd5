#include "stream/seal/sealed_body.h"

#include <utility>

#include "stream/base/hex.h"

namespace pgsluice {

namespace {

constexpr std::string_view version = "1";
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t most_runs = 64;

SecretKey run_key(const SecretKey& key, std::string_view salt) {
    return hmac_sha256(key, std::string("pgsluice stream 1 ").append(salt));
}

Nonce nonce_of(StreamSeq seq) {
    Nonce nonce{};
    for (std::size_t i = 0; i < sizeof seq.value; ++i)
        nonce[nonce.size() - 1 - i] = static_cast<unsigned char>(seq.value >> (8 * i));
    return nonce;
}

std::string new_salt() { return to_hex(random_bytes(salt_bytes)); }

std::string_view take_word(std::string_view& text) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

}  // namespace

std::string to_text(const SealHeader& header) {
    return std::string(version) + ' ' + header.key_id + ' ' + header.run + ' ' + header.salt;
}

std::optional<SealHeader> parse_seal_header(std::string_view text) {
    if (text.ends_with(' ') || take_word(text) != version) return std::nullopt;
    const auto key_id = take_word(text);
    const auto run = take_word(text);
    const auto salt = take_word(text);
    if (!text.empty() || key_id.empty() || run.empty() || salt.size() != 2 * salt_bytes) return std::nullopt;
    return SealHeader{std::string(key_id), std::string(run), std::string(salt)};
}

std::string associated_data(const SealPlace& place, const SealHeader& seal, const HeaderList& headers) {
    std::string data("pgsluice\n");
    data.append(place.stream) += '\n';
    data.append(place.subject) += '\n';
    data.append(std::to_string(place.seq.value)) += '\n';
    data.append(to_text(seal)) += '\n';
    for (const auto& [name, value] : headers) data.append(name).append(":").append(value) += '\n';
    return data;
}

Sealer::Sealer(const StreamKey& key, std::string run)
    : header_{key.id, std::move(run), new_salt()}, gcm_(run_key(key.secret, header_.salt)) {}

std::string Sealer::seal(const SealPlace& place, const HeaderList& headers, std::string_view body) {
    return gcm_.seal(nonce_of(place.seq), associated_data(place, header_, headers), body);
}

std::optional<std::size_t> Opener::open(const StreamKey& key, const SealHeader& seal, const SealPlace& place,
                                        const HeaderList& headers, char* body, std::size_t length) {
    const std::string text = to_text(seal);
    auto found = runs_.find(text);
    if (found == runs_.end()) {
        if (runs_.size() >= most_runs) runs_.clear();
        found = runs_.emplace(text, Gcm(run_key(key.secret, seal.salt))).first;
    }
    return found->second.open(nonce_of(place.seq), associated_data(place, seal, headers), body, length);
}

}  // namespace pgsluice
