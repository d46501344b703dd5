#include "worker/compare/digest.h"

#include <stdexcept>

namespace pgsluice {

namespace {

// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), then the finalizer of MurmurHash3, so that sums do not cancel.
constexpr std::uint64_t fnv_offset = 0xcbf29ce484222325;
constexpr std::uint64_t fnv_prime = 0x100000001b3;

std::uint64_t mix(std::uint64_t hash, std::string_view bytes) {
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * fnv_prime;
    return hash;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t number) {
    for (int i = 0; i < 8; ++i, number >>= 8) hash = (hash ^ (number & 0xff)) * fnv_prime;
    return hash;
}

std::uint64_t finish(std::uint64_t hash) {
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
    hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
    return hash ^ (hash >> 33);
}

}  // namespace

std::uint64_t digest_of(Row values) {
    std::uint64_t hash = fnv_offset;
    for (const Value& value : values) {
        hash = mix(hash, value.is_null() ? ~std::uint64_t{0} : std::uint64_t{value.text().size()});
        hash = mix(hash, value.text());
    }
    return finish(hash);
}

std::uint64_t modulo_64(std::string_view decimal) {
    const bool negative = decimal.starts_with('-');
    if (negative) decimal.remove_prefix(1);
    if (decimal.empty()) throw std::logic_error("a checksum that is no number");
    std::uint64_t value = 0;
    for (const char digit : decimal) {
        if (digit < '0' || digit > '9') throw std::logic_error("a checksum that is no number");
        value = value * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    return negative ? 0 - value : value;
}

std::size_t range_of(std::uint64_t key_digest, std::size_t ranges) {
    // The upper 32 bits suffice: there are far fewer ranges.
    return static_cast<std::size_t>(((key_digest >> 32) * ranges) >> 32);
}

}  // namespace pgsluice
