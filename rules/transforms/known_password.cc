// password_hash: in every row the hash of one password, so that a developer can log in as anyone.
//
// Its salt comes of the secret, so that it is the same one after every restart.
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <bit>
#include <map>
#include <mutex>
#include <stdexcept>

#include "rules/transforms/hmac.h"
#include "rules/transforms/password_hash.h"
#include "rules/transforms/secret.h"
#include "rules/transforms/transforms.h"
#include "rules/values/utf8.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

constexpr std::size_t most_of_bcrypt = 72;  // bytes: it does not look at more
constexpr int most_cost = 20;               // a minute
constexpr int most_iterations = 100'000'000;
constexpr int most_n = 1 << 24;
constexpr int most_r = 64;
constexpr int most_p = 64;
constexpr std::uint64_t most_memory = 1 << 30;
constexpr int most_m = most_memory / 1024;
constexpr int most_t = 100;

class KnownPassword : public Transform {
   public:
    KnownPassword(std::string describe, std::string hash) : describe_(std::move(describe)), hash_(std::move(hash)) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return is_text(type) ? too_long(count_characters(hash_), column) : takes("text", column);
    }
    bool ignores_value() const override { return true; }
    bool reads_text() const override { return false; }
    Value apply(std::string_view /*text*/, ValueType /*type*/, Arena& /*arena*/) const override { return Value(hash_); }
    std::string describe() const override { return fmt::format("set to a password's hash, {}", describe_); }
    // Another password, or another secret for its salt, gives another hash.
    std::string meaning() const override { return fmt::format("password {}", hash_); }

   private:
    std::string describe_;
    std::string hash_;
};

// They take long by intention, and a file is read several times.
std::string cached_hash(const PasswordForm& form, const std::string& password, std::string_view salt) {
    static std::mutex mutex;
    static std::map<std::string, std::string> hashes;
    const Hmac one("pgsluice: hashes of passwords");
    const auto key = one.digest(fmt::format("{}\n{}\n{}", form.describe(), salt, password));
    const std::lock_guard lock(mutex);
    std::string& hash = hashes[std::string(reinterpret_cast<const char*>(key.data()), key.size())];
    if (hash.empty()) hash = hash_password(form, password, salt);
    return hash;
}

int read_number(Fields& parameters, std::string_view key, int least, int otherwise, int most) {
    const int number = parameters.number(key, least).value_or(otherwise);
    if (number > most) throw refuse(parameters.place(), fmt::format("'{}' is above {}", key, most));
    return number;
}

PasswordForm::Algorithm read_algorithm(Fields& parameters) {
    const std::string name = parameters.text("algorithm").value_or("bcrypt");
    if (name == "bcrypt") return PasswordForm::Algorithm::bcrypt;
    if (name == "scrypt") return PasswordForm::Algorithm::scrypt;
    if (name == "pbkdf2") return PasswordForm::Algorithm::pbkdf2;
    if (name == "argon2id") return PasswordForm::Algorithm::argon2id;
    throw refuse(parameters.place(), fmt::format("unknown algorithm '{}'", name),
                 "Known algorithms: bcrypt, scrypt, pbkdf2, argon2id.");
}

void read_bcrypt(PasswordForm& form, Fields& parameters) {
    form.cost = read_number(parameters, "cost", 4, form.cost, most_cost);
    form.variant = parameters.text("variant").value_or(form.variant);
    if (form.variant != "2a" && form.variant != "2b" && form.variant != "2y")
        throw refuse(parameters.place(), fmt::format("unknown variant '{}'", form.variant),
                     "Known variants: 2a, 2b, 2y.");
}

void read_scrypt(PasswordForm& form, Fields& parameters) {
    form.n = static_cast<std::uint64_t>(read_number(parameters, "n", 2, 1 << 14, most_n));
    form.r = static_cast<std::uint64_t>(read_number(parameters, "r", 1, 8, most_r));
    form.p = static_cast<std::uint64_t>(read_number(parameters, "p", 1, 1, most_p));
    if (!std::has_single_bit(form.n)) throw refuse(parameters.place(), "'n' is not a power of 2");
    if (128 * form.n * form.r > most_memory)
        throw refuse(parameters.place(), "'n' and 'r' would take more than 1 GiB of memory");
}

void read_pbkdf2(PasswordForm& form, Fields& parameters) {
    form.digest = parameters.text("digest").value_or("sha256");
    if (form.digest != "sha1" && form.digest != "sha256" && form.digest != "sha512")
        throw refuse(parameters.place(), fmt::format("unknown digest '{}'", form.digest),
                     "Known digests: sha1, sha256, sha512.");
    form.iterations = read_number(parameters, "iterations", 1, 600'000, most_iterations);
    const std::string format = parameters.text("format").value_or("passlib");
    form.django = format == "django";
    if (!form.django && format != "passlib")
        throw refuse(parameters.place(), fmt::format("unknown format '{}'", format), "Known formats: passlib, django.");
    if (form.django && form.digest == "sha512")
        throw refuse(parameters.place(), "pbkdf2 with sha512 is unknown to Django", "Use sha256.");
}

// By default what RFC 9106 recommends where memory is scarce.
void read_argon2id(PasswordForm& form, Fields& parameters) {
    form.m = static_cast<std::uint32_t>(read_number(parameters, "m", 8, 1 << 16, most_m));
    form.t = static_cast<std::uint32_t>(read_number(parameters, "t", 1, 3, most_t));
    form.p = static_cast<std::uint64_t>(read_number(parameters, "p", 1, 4, most_p));
    if (form.m < 8 * form.p)
        throw refuse(parameters.place(), fmt::format("'m' is below 8 KiB for each of the {} lanes", form.p),
                     fmt::format("Set m: {}, or more, or a smaller p.", 8 * form.p));
}

PasswordForm read_form(Fields& parameters) {
    PasswordForm form;
    form.algorithm = read_algorithm(parameters);
    if (form.algorithm == PasswordForm::Algorithm::bcrypt) read_bcrypt(form, parameters);
    if (form.algorithm == PasswordForm::Algorithm::scrypt) read_scrypt(form, parameters);
    if (form.algorithm == PasswordForm::Algorithm::pbkdf2) read_pbkdf2(form, parameters);
    if (form.algorithm == PasswordForm::Algorithm::argon2id) read_argon2id(form, parameters);
    return form;
}

std::string read_password(Fields& parameters, const PasswordForm& form) {
    std::string password = parameters.required_text("password");
    if (password.empty() || password.find('\0') != std::string::npos || !is_utf8(password))
        throw refuse(parameters.place(), "'password' is empty, or not valid UTF-8");
    if (form.algorithm == PasswordForm::Algorithm::bcrypt && password.size() > most_of_bcrypt)
        throw refuse(parameters.place(), "'password' has more than 72 bytes, which is all that bcrypt looks at");
    return password;
}

}  // namespace

std::unique_ptr<Transform> make_password_hash(Fields& parameters, const TransformDefaults& defaults) {
    const PasswordForm form = read_form(parameters);
    const std::string password = read_password(parameters, form);
    std::string secret = read_secret(parameters, defaults);
    const auto salt = Hmac(fmt::format("pgsluice password salt {}\n{}", form.describe(), password)).digest(secret);
    OPENSSL_cleanse(secret.data(), secret.size());
    try {
        const std::string_view bytes(reinterpret_cast<const char*>(salt.data()), salt.size());
        return std::make_unique<KnownPassword>(form.describe(), cached_hash(form, password, bytes));
    } catch (const std::runtime_error& error) {
        throw refuse(parameters.place(), error.what());
    }
}

}  // namespace pgsluice::rules
