#include "rules/transforms/reversible/siv.h"

#include <openssl/evp.h>

#include <stdexcept>

#include "rules/transforms/reversible/cipher.h"

namespace pgsluice::rules {
namespace {

struct FreeCipher {
    void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
using Cipher = std::unique_ptr<EVP_CIPHER, FreeCipher>;
using Context = CipherContext;

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void check_siv(bool well) { require(well, "AES-256-SIV"); }

// One takes one message only.
Context copy_of(const Context& prepared) {
    Context copy(EVP_CIPHER_CTX_new());
    check_siv(copy != nullptr && EVP_CIPHER_CTX_copy(copy.get(), prepared.get()) == 1);
    return copy;
}

}  // namespace

struct Siv::Contexts {
    Cipher cipher{EVP_CIPHER_fetch(nullptr, "AES-256-SIV", nullptr)};
    Context seal{EVP_CIPHER_CTX_new()};
    Context open{EVP_CIPHER_CTX_new()};
};

Siv::Siv(std::string_view key) : contexts_(std::make_unique<Contexts>()) {
    check_siv(contexts_->cipher != nullptr && contexts_->seal != nullptr && contexts_->open != nullptr);
    check_siv(key.size() == key_bytes);
    const EVP_CIPHER* cipher = contexts_->cipher.get();
    check_siv(EVP_EncryptInit_ex2(contexts_->seal.get(), cipher, bytes(key), nullptr, nullptr) == 1);
    check_siv(EVP_DecryptInit_ex2(contexts_->open.get(), cipher, bytes(key), nullptr, nullptr) == 1);
}
Siv::Siv(Siv&& other) noexcept = default;
Siv::~Siv() = default;

std::string Siv::seal(std::string_view text) const {
    const Context context = copy_of(contexts_->seal);
    std::string sealed(tag_bytes + text.size(), '\0');
    int length = 0;
    check_siv(!text.empty() && EVP_EncryptUpdate(context.get(), bytes(sealed) + tag_bytes, &length, bytes(text),
                                                 static_cast<int>(text.size())) == 1);
    check_siv(EVP_EncryptFinal_ex(context.get(), bytes(sealed) + sealed.size(), &length) == 1);
    check_siv(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, sealed.data()) == 1);
    return sealed;
}

std::optional<std::string> Siv::open(std::string_view sealed) const {
    if (sealed.size() <= tag_bytes) return std::nullopt;
    const Context context = copy_of(contexts_->open);
    std::string tag(sealed.substr(0, tag_bytes));
    std::string text(sealed.size() - tag_bytes, '\0');
    int length = 0;
    check_siv(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1);
    const int opened = EVP_DecryptUpdate(context.get(), bytes(text), &length, bytes(sealed) + tag_bytes,
                                         static_cast<int>(text.size()));
    if (opened != 1 || EVP_DecryptFinal_ex(context.get(), bytes(text) + text.size(), &length) != 1) return std::nullopt;
    return text;
}

}  // namespace pgsluice::rules
