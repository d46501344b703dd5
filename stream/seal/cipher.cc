#include "stream/seal/cipher.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <climits>
#include <stdexcept>

namespace pgsluice {

namespace {

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype([](EVP_CIPHER_CTX* owned) { EVP_CIPHER_CTX_free(owned); })>;

// Only a program error or a broken library: what others wrote shows in the tag.
void check(int result) {
    if (result != 1) throw std::runtime_error("OpenSSL refused a call");
}

int length_of(std::size_t bytes) {
    if (bytes > INT_MAX) throw std::length_error("more than OpenSSL takes at once");
    return static_cast<int>(bytes);
}

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(char* text) noexcept { return reinterpret_cast<unsigned char*>(text); }

Context new_context() {
    Context context(EVP_CIPHER_CTX_new());
    if (!context) throw std::bad_alloc();
    return context;
}

}  // namespace

// With the key set, so that a message costs no key schedule.
struct Gcm::Contexts {
    explicit Contexts(const SecretKey& key) {
        check(EVP_EncryptInit_ex(sealing.get(), EVP_aes_256_gcm(), nullptr, key.data(), nullptr));
        check(EVP_DecryptInit_ex(opening.get(), EVP_aes_256_gcm(), nullptr, key.data(), nullptr));
    }
    Context sealing = new_context();
    Context opening = new_context();
};

Gcm::Gcm(const SecretKey& key) : contexts_(std::make_unique<Contexts>(key)) {}
Gcm::~Gcm() = default;
Gcm::Gcm(Gcm&&) noexcept = default;
Gcm& Gcm::operator=(Gcm&&) noexcept = default;

std::string Gcm::seal(const Nonce& nonce, std::string_view associated, std::string_view plain) {
    auto* context = contexts_->sealing.get();
    std::string sealed(plain.size() + gcm_tag_bytes, '\0');
    auto* out = bytes_of(sealed.data());
    int length = 0;
    check(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()));
    check(EVP_EncryptUpdate(context, nullptr, &length, bytes_of(associated), length_of(associated.size())));
    if (!plain.empty()) check(EVP_EncryptUpdate(context, out, &length, bytes_of(plain), length_of(plain.size())));
    check(EVP_EncryptFinal_ex(context, out + plain.size(), &length));
    check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, gcm_tag_bytes, out + plain.size()));
    return sealed;
}

std::optional<std::size_t> Gcm::open(const Nonce& nonce, std::string_view associated, char* bytes, std::size_t length) {
    if (length < gcm_tag_bytes) return std::nullopt;
    const std::size_t plain = length - gcm_tag_bytes;
    auto* context = contexts_->opening.get();
    auto* data = bytes_of(bytes);
    int written = 0;
    check(EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()));
    check(EVP_DecryptUpdate(context, nullptr, &written, bytes_of(associated), length_of(associated.size())));
    if (plain > 0) check(EVP_DecryptUpdate(context, data, &written, data, length_of(plain)));
    check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, gcm_tag_bytes, data + plain));
    if (EVP_DecryptFinal_ex(context, data + plain, &written) != 1) return std::nullopt;
    return plain;
}

Digest sha256(std::string_view text) {
    Digest out{};
    check(EVP_Digest(text.data(), text.size(), out.data(), nullptr, EVP_sha256(), nullptr));
    return out;
}

SecretKey hmac_sha256(const SecretKey& key, std::string_view text) {
    SecretKey out{};
    unsigned int length = 0;
    if (HMAC(EVP_sha256(), key.data(), length_of(key.size()), bytes_of(text), text.size(), out.data(), &length) ==
            nullptr ||
        length != out.size())
        throw std::runtime_error("OpenSSL refused a call");
    return out;
}

bool same_bytes(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    check(RAND_bytes(bytes_of(bytes.data()), length_of(count)));
    return bytes;
}

std::optional<std::string> decode_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string bytes(text.size() / 4 * 3, '\0');
    const int length = EVP_DecodeBlock(bytes_of(bytes.data()), bytes_of(text), length_of(text.size()));
    if (length < 0) return std::nullopt;
    const auto padding = text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U;
    bytes.resize(static_cast<std::size_t>(length) - padding);
    return bytes;
}

}  // namespace pgsluice
