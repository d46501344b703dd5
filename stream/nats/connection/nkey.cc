#include "stream/nats/connection/nkey.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>

namespace pgsluice::nats {

namespace {

// github.com/nats-io/nkeys: two bytes of prefix (5 bits "seed", 8 bits of the kind), the key, a checksum.
constexpr std::uint8_t seed_prefix = 18U << 3U;  // S
constexpr std::uint8_t user_prefix = 20U << 3U;  // U
constexpr std::size_t key_bytes = 32;
constexpr std::size_t seed_bytes = 2 + key_bytes + 2;
constexpr std::size_t seed_letters = 58;
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

std::optional<std::string> from_base32(std::string_view text) {
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char letter : text) {
        const auto value = alphabet.find(letter);
        if (value == std::string_view::npos) return std::nullopt;
        bits = (bits << 5U) | static_cast<std::uint32_t>(value);
        held += 5;
        if (held < 8) continue;
        held -= 8;
        bytes += static_cast<char>((bits >> held) & 0xFFU);
    }
    return bytes;
}

std::string to_base32(std::string_view bytes) {
    std::string text;
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char byte : bytes) {
        bits = (bits << 8U) | static_cast<std::uint8_t>(byte);
        for (held += 8; held >= 5; held -= 5) text += alphabet[(bits >> (held - 5)) & 31U];
    }
    if (held > 0) text += alphabet[(bits << (5 - held)) & 31U];
    return text;
}

// CRC-16/XMODEM, low byte first.
std::string checksum(std::string_view bytes) {
    std::uint32_t crc = 0;
    for (const char byte : bytes) {
        crc ^= static_cast<std::uint32_t>(static_cast<std::uint8_t>(byte)) << 8U;
        for (int bit = 0; bit < 8; ++bit) crc = ((crc << 1U) ^ ((crc & 0x8000U) != 0 ? 0x1021U : 0U)) & 0xFFFFU;
    }
    return {static_cast<char>(crc & 0xFFU), static_cast<char>(crc >> 8U)};
}

// The private key in a user's seed.
std::optional<std::string> key_in(std::string_view seed) {
    const auto bytes = seed.size() == seed_letters ? from_base32(seed) : std::nullopt;
    if (!bytes || bytes->size() != seed_bytes) return std::nullopt;
    const auto first = static_cast<std::uint8_t>((*bytes)[0]);
    const auto second = static_cast<std::uint8_t>((*bytes)[1]);
    const unsigned kind = ((first & 7U) << 5U) | (second >> 3U);
    const bool sound = checksum(bytes->substr(0, seed_bytes - 2)) == bytes->substr(seed_bytes - 2);
    if ((first & 0xF8U) != seed_prefix || kind != user_prefix || !sound) return std::nullopt;
    return bytes->substr(2, key_bytes);
}

}  // namespace

std::optional<std::string> public_nkey(std::string_view seed) {
    const auto key = key_in(seed);
    if (!key) return std::nullopt;
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(key->data()),
                                     key_bytes),
        &EVP_PKEY_free);
    std::array<unsigned char, key_bytes> open{};
    std::size_t size = open.size();
    if (!pair || EVP_PKEY_get_raw_public_key(pair.get(), open.data(), &size) != 1) return std::nullopt;
    std::string bytes(1, static_cast<char>(user_prefix));
    bytes.append(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(size));
    return to_base32(bytes + checksum(bytes));
}

std::optional<std::string> find_seed(std::string_view text) {
    while (!text.empty()) {
        const auto end = text.find_first_of(" \t\r\n");
        const auto word = text.substr(0, end);
        if (key_in(word)) return std::string(word);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return std::nullopt;
}

}  // namespace pgsluice::nats
