// hash: HMAC-SHA-256 of the value as lower-case hex. The same value gives the same hash in every table that uses the
// same secret, so joins hold; without the secret, values cannot be guessed by trying.
#include <fmt/format.h>
#include <openssl/crypto.h>

#include "rules/transforms/hmac.h"
#include "rules/transforms/secret.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr std::size_t digest_digits = 64;
constexpr std::size_t distinct_digits = 32;  // 128 bits: no two values of a table collide by chance

class Hash : public Transform {
   public:
    Hash(std::string_view secret, std::size_t digits) : hmac_(secret), digits_(digits) {}

    std::string unfit(const Column& column, ValueType type) const override {
        if (is_text(type)) return too_long(digits_, column);
        if (type == ValueType::uuid || type == ValueType::bytea) return {};
        return takes("text, uuid or bytea", column);
    }
    bool keeps_distinct(ValueType type) const override { return type == ValueType::uuid || digits_ >= distinct_digits; }
    bool reads_text() const override { return false; }

    Value apply(std::string_view text, ValueType type, Arena& arena) const override {
        const auto digest = hmac_.digest(text);
        auto* out = reinterpret_cast<char*>(arena.allocate(digest_digits + 2));
        if (type == ValueType::uuid) return Value({out, uuid(digest, out)});
        if (type == ValueType::bytea) {
            out[0] = '\\';
            out[1] = 'x';
            return Value({out, 2 + write_hex(digest, digits_ / 2 * 2, out + 2)});
        }
        return Value({out, write_hex(digest, digits_, out)});
    }

    std::string describe() const override { return fmt::format("hash to {} hex digits", digits_); }
    // Another secret gives other hashes.
    std::string meaning() const override { return fmt::format("{} {}", describe(), hmac_.proof()); }

   private:
    // The first half of the hash in a uuid's form, whatever `length` says.
    static std::size_t uuid(const Hmac::Digest& digest, char* out) {
        char digits[32];
        write_hex(digest, sizeof digits, digits);
        char* at = out;
        for (std::size_t i = 0; i < sizeof digits; ++i) {
            if (i == 8 || i == 12 || i == 16 || i == 20) *at++ = '-';
            *at++ = digits[i];
        }
        return static_cast<std::size_t>(at - out);
    }

    Hmac hmac_;
    std::size_t digits_;
};

}  // namespace

std::unique_ptr<Transform> make_hash(Fields& parameters, const TransformDefaults& defaults) {
    const auto digits = static_cast<std::size_t>(parameters.number("length", 8).value_or(digest_digits));
    if (digits > digest_digits) throw refuse(parameters.place(), "'length' is above 64, the hex digits of SHA-256");
    std::string secret = read_secret(parameters, defaults);
    auto hash = std::make_unique<Hash>(secret, digits);
    OPENSSL_cleanse(secret.data(), secret.size());
    return hash;
}

}  // namespace pgsluice::rules
