// Hashes of passwords, in the forms that other software checks. What is made is salted with what it is given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgsluice::rules {

struct PasswordForm {
    enum class Algorithm { bcrypt, scrypt, pbkdf2, argon2id } algorithm = Algorithm::bcrypt;
    int cost = 10;               // bcrypt: 2^cost rounds
    std::string variant = "2b";  // bcrypt: what the hash begins with
    std::uint64_t n = 1 << 14;   // scrypt, with r and p
    std::uint64_t r = 8;
    std::uint64_t p = 1;            // also argon2id: lanes
    std::uint32_t m = 65536;        // argon2id: KiB of memory
    std::uint32_t t = 3;            // argon2id: passes over it
    std::string digest = "sha256";  // pbkdf2
    int iterations = 600'000;
    bool django = false;  // pbkdf2: in Django's form, and not passlib's

    // "bcrypt with cost 10"
    [[nodiscard]] std::string describe() const;
};

// By the form's algorithm with all of its parameters. `salt` has 16 bytes or more, of which 16 are used. Throws
// std::runtime_error where the system's library has no such algorithm, or refuses a parameter.
std::string hash_password(const PasswordForm& form, const std::string& password, std::string_view salt);

}  // namespace pgsluice::rules
