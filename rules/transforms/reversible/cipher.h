// What the uses of OpenSSL's ciphers here share.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace pgsluice::rules {

struct FreeCipherContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

// A std::runtime_error when not `well`: the library lacks a cipher, or memory.
inline void require(bool well, const char* cipher) {
    if (!well) throw std::runtime_error(std::string("OpenSSL has no ") + cipher);
}

}  // namespace pgsluice::rules
