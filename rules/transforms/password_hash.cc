#include "rules/transforms/password_hash.h"

#include <argon2.h>
#include <crypt.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <stdexcept>

namespace pgsluice::rules {
namespace {

constexpr int salt_bytes = 16;
constexpr std::size_t key_bytes = 32;

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string base64(std::string_view data) {
    std::string text((data.size() + 2) / 3 * 4 + 1, '\0');
    text.resize(static_cast<std::size_t>(
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes(data), static_cast<int>(data.size()))));
    return text;
}

std::string unpadded(std::string text) {
    text.erase(text.find_last_not_of('=') + 1);
    return text;
}

// As passlib writes it: without padding, and with a dot for the plus.
std::string adapted(std::string text) {
    std::ranges::replace(text, '+', '.');
    return unpadded(std::move(text));
}

[[noreturn]] void fail(const char* what) { throw std::runtime_error(what); }

std::string bcrypt(const PasswordForm& form, const std::string& password, std::string_view salt) {
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    const char* made =
        crypt_gensalt_rn(fmt::format("${}$", form.variant).c_str(), static_cast<unsigned long>(form.cost), salt.data(),
                         salt_bytes, setting, sizeof setting);
    if (made == nullptr) fail("the system's crypt() has no bcrypt");
    const auto data = std::make_unique<crypt_data>();
    const char* hash = crypt_r(password.c_str(), setting, data.get());
    if (hash == nullptr || std::string_view(hash).substr(0, 7) != std::string_view(setting).substr(0, 7))
        fail("the system's crypt() makes no bcrypt");
    return hash;
}

std::string scrypt(const PasswordForm& form, const std::string& password, std::string_view salt) {
    constexpr std::uint64_t spare = 1 << 20;
    const std::uint64_t most_memory = 128 * form.r * (form.n + form.p + 2) + spare;
    std::string key(key_bytes, '\0');
    if (EVP_PBE_scrypt(password.data(), password.size(), bytes(salt), salt_bytes, form.n, form.r, form.p, most_memory,
                       reinterpret_cast<unsigned char*>(key.data()), key.size()) != 1)
        fail("OpenSSL refuses these parameters of scrypt");
    return fmt::format("$scrypt$ln={},r={},p={}${}${}", std::countr_zero(form.n), form.r, form.p,
                       unpadded(base64(salt.substr(0, salt_bytes))), unpadded(base64(key)));
}

// Django's salts are letters and digits.
std::string django_salt(std::string_view salt) {
    std::string text = base64(salt.substr(0, salt_bytes));
    std::erase_if(text, [](char c) { return c == '+' || c == '/' || c == '='; });
    return text;
}

std::string pbkdf2(const PasswordForm& form, const std::string& password, std::string_view salt) {
    const std::string used = form.django ? django_salt(salt) : std::string(salt.substr(0, salt_bytes));
    const EVP_MD* digest = EVP_get_digestbyname(form.digest.c_str());
    if (digest == nullptr) fail("OpenSSL has no such digest");
    std::string key(static_cast<std::size_t>(EVP_MD_get_size(digest)), '\0');
    if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes(used),
                          static_cast<int>(used.size()), form.iterations, digest, static_cast<int>(key.size()),
                          reinterpret_cast<unsigned char*>(key.data())) != 1)
        fail("OpenSSL refuses these parameters of PBKDF2");
    if (form.django) return fmt::format("pbkdf2_{}${}${}${}", form.digest, form.iterations, used, base64(key));
    const std::string name = form.digest == "sha1" ? "pbkdf2" : fmt::format("pbkdf2-{}", form.digest);
    return fmt::format("${}${}${}${}", name, form.iterations, adapted(base64(used)), adapted(base64(key)));
}

// The PHC string, as all libraries of Argon2 read it.
std::string argon2id(const PasswordForm& form, const std::string& password, std::string_view salt) {
    const auto lanes = static_cast<std::uint32_t>(form.p);
    std::string hash(argon2_encodedlen(form.t, form.m, lanes, salt_bytes, key_bytes, Argon2_id), '\0');
    if (argon2id_hash_encoded(form.t, form.m, lanes, password.data(), password.size(), salt.data(), salt_bytes,
                              key_bytes, hash.data(), hash.size()) != ARGON2_OK)
        fail("libargon2 refuses these parameters, or has too little memory");
    hash.resize(hash.find('\0'));
    return hash;
}

}  // namespace

std::string PasswordForm::describe() const {
    switch (algorithm) {
        case Algorithm::bcrypt:
            return fmt::format("bcrypt{} with cost {}", variant == "2b" ? "" : fmt::format(" {}", variant), cost);
        case Algorithm::scrypt:
            return fmt::format("scrypt with n {}, r {}, p {}", n, r, p);
        case Algorithm::argon2id:
            return fmt::format("argon2id with m {}, t {}, p {}", m, t, p);
        default:
            return fmt::format("pbkdf2 with {} and {} iterations{}", digest, iterations,
                               django ? ", in Django's form" : "");
    }
}

std::string hash_password(const PasswordForm& form, const std::string& password, std::string_view salt) {
    if (salt.size() < std::size_t{salt_bytes}) fail("the salt is too short");
    switch (form.algorithm) {
        case PasswordForm::Algorithm::bcrypt:
            return bcrypt(form, password, salt);
        case PasswordForm::Algorithm::scrypt:
            return scrypt(form, password, salt);
        case PasswordForm::Algorithm::argon2id:
            return argon2id(form, password, salt);
        default:
            return pbkdf2(form, password, salt);
    }
}

}  // namespace pgsluice::rules
