#include "rules/transforms/hmac.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstring>
#include <new>
#include <stdexcept>

#include "stream/base/hex.h"

namespace pgsluice::rules {
namespace {

constexpr std::size_t block_bytes = 64;  // of SHA-256

struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

void require(int result) {
    if (result != 1) throw std::runtime_error("OpenSSL does not compute SHA-256");
}

Context make_context() {
    Context context(EVP_MD_CTX_new());
    if (context == nullptr) throw std::bad_alloc();
    return context;
}

// SHA-256 that has read the key, each byte of it combined with `pad`.
Context begin(const std::array<unsigned char, block_bytes>& key, unsigned char pad) {
    std::array<unsigned char, block_bytes> block{};
    for (std::size_t i = 0; i < block_bytes; ++i) block[i] = static_cast<unsigned char>(key[i] ^ pad);
    Context context = make_context();
    require(EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr));
    require(EVP_DigestUpdate(context.get(), block.data(), block.size()));
    OPENSSL_cleanse(block.data(), block.size());
    return context;
}

Hmac::Digest finish(const Context& begun, const void* data, std::size_t size) {
    thread_local const Context scratch = make_context();
    Hmac::Digest digest{};
    require(EVP_MD_CTX_copy_ex(scratch.get(), begun.get()));
    require(EVP_DigestUpdate(scratch.get(), data, size));
    require(EVP_DigestFinal_ex(scratch.get(), digest.data(), nullptr));
    return digest;
}

}  // namespace

struct Hmac::States {
    Context inner;
    Context outer;
};

Hmac::Hmac(std::string_view key) : states_(std::make_unique<States>()) {
    std::array<unsigned char, block_bytes> block{};
    if (key.size() <= block_bytes) {
        std::memcpy(block.data(), key.data(), key.size());
    } else {
        require(EVP_Digest(key.data(), key.size(), block.data(), nullptr, EVP_sha256(), nullptr));
    }
    states_->inner = begin(block, 0x36);
    states_->outer = begin(block, 0x5c);
    OPENSSL_cleanse(block.data(), block.size());
}

Hmac::Hmac(Hmac&& other) noexcept = default;
Hmac::~Hmac() = default;

Hmac::Digest Hmac::digest(std::string_view text) const {
    const Digest inner = finish(states_->inner, text.data(), text.size());
    return finish(states_->outer, inner.data(), inner.size());
}

std::string Hmac::proof() const { return to_hex(digest("pgsluice: which secret")); }

Hmac derived_key(std::string_view use, std::string_view secret) {
    const Hmac extract(fmt::format("pgsluice transform {}", use));
    auto key = extract.digest(secret);
    Hmac hmac({reinterpret_cast<const char*>(key.data()), key.size()});
    OPENSSL_cleanse(key.data(), key.size());
    return hmac;
}

void cleanse(std::string& secret) noexcept { OPENSSL_cleanse(secret.data(), secret.size()); }

std::size_t write_hex(const Hmac::Digest& digest, std::size_t digits, char* out) noexcept {
    constexpr char hex_digits[] = "0123456789abcdef";
    for (std::size_t i = 0; i < digits; ++i) out[i] = hex_digits[i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15];
    return digits;
}

}  // namespace pgsluice::rules
