#include "rules/transforms/reversible/key.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "rules/transforms/hmac.h"
#include "rules/transforms/secret.h"

namespace pgsluice::rules {

CipherKey::CipherKey(std::string_view transform, Fields& parameters, const TransformDefaults& defaults) {
    std::string secret = read_secret(parameters, defaults);
    for (const int part : {1, 2}) {
        const auto half = Hmac(fmt::format("pgsluice cipher {} {}", transform, part)).digest(secret);
        bytes.append(reinterpret_cast<const char*>(half.data()), half.size());
    }
    OPENSSL_cleanse(secret.data(), secret.size());
    proof = Hmac(bytes).proof();
}

CipherKey::~CipherKey() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

}  // namespace pgsluice::rules
