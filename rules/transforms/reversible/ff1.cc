#include "rules/transforms/reversible/ff1.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <bit>
#include <cstdint>
#include <stdexcept>

#include "rules/transforms/reversible/cipher.h"

namespace pgsluice::rules {
namespace {

using Context = CipherContext;
using Block = std::array<unsigned char, 16>;

constexpr int rounds = 10;

void check_ff1(bool well) { require(well, "AES"); }

const EVP_CIPHER* aes(std::size_t key_bytes) {
    return key_bytes == 16 ? EVP_aes_128_ecb() : key_bytes == 24 ? EVP_aes_192_ecb() : EVP_aes_256_ecb();
}

std::uint64_t ten_to(std::size_t exponent) {
    std::uint64_t power = 1;
    for (; exponent > 0; --exponent) power *= 10;
    return power;
}

std::uint64_t number_of(std::string_view digits) {
    std::uint64_t number = 0;
    for (const char c : digits) number = number * 10 + static_cast<std::uint64_t>(c - '0');
    return number;
}

void put(std::string& out, std::uint64_t number, std::size_t bytes) {
    for (; bytes > 0; --bytes) out += static_cast<char>(number >> (8 * (bytes - 1)) & 0xff);
}

}  // namespace

struct Ff1::Prepared {
    Context context{EVP_CIPHER_CTX_new()};
};

// The steps of the standard, by its names: A and B are the halves, of u and v digits.
class Ff1::Rounds {
   public:
    Rounds(const Context& prepared, const std::string& tweak, std::size_t n)
        : context_(EVP_CIPHER_CTX_new()), tweak_(tweak), u_(n / 2), v_(n - n / 2) {
        check_ff1(context_ != nullptr && EVP_CIPHER_CTX_copy(context_.get(), prepared.get()) == 1);
        b_ = (static_cast<std::size_t>(std::bit_width(ten_to(v_))) + 7) / 8;
        d_ = 4 * ((b_ + 3) / 4) + 4;
        std::string p{"\1\2\1", 3};
        put(p, 10, 3);
        put(p, rounds, 1);
        put(p, u_ % 256, 1);
        put(p, n, 4);
        put(p, tweak.size(), 4);
        chain(first_, p);
    }

    // The function of round `i`, modulo 10^m.
    std::uint64_t of(int i, std::uint64_t number) {
        std::string q = tweak_;
        while ((q.size() + b_ + 1) % 16 != 0) q += '\0';
        put(q, static_cast<std::uint64_t>(i), 1);
        put(q, number, b_);
        Block r = first_;
        chain(r, q);
        unsigned __int128 y = 0;
        for (std::size_t byte = 0; byte < d_; ++byte) y = y << 8 | r[byte];
        return static_cast<std::uint64_t>(y % modulus(i));
    }
    [[nodiscard]] std::uint64_t modulus(int i) const { return ten_to(i % 2 == 0 ? u_ : v_); }
    [[nodiscard]] std::size_t u() const { return u_; }
    [[nodiscard]] std::size_t v() const { return v_; }

   private:
    // CBC-MAC.
    void chain(Block& block, std::string_view data) {
        for (std::size_t at = 0; at < data.size(); at += block.size()) {
            for (std::size_t i = 0; i < block.size(); ++i) block[i] ^= static_cast<unsigned char>(data[at + i]);
            int length = 0;
            check_ff1(EVP_EncryptUpdate(context_.get(), block.data(), &length, block.data(),
                                        static_cast<int>(block.size())) == 1);
        }
    }

    Context context_;
    const std::string& tweak_;
    std::size_t u_;
    std::size_t v_;
    std::size_t b_ = 0;
    std::size_t d_ = 0;
    Block first_{};
};

Ff1::Ff1(std::string_view key, std::string tweak) : prepared_(std::make_unique<Prepared>()), tweak_(std::move(tweak)) {
    check_ff1(key.size() == 16 || key.size() == 24 || key.size() == 32);
    EVP_CIPHER_CTX* context = prepared_->context.get();
    check_ff1(context != nullptr &&
              EVP_EncryptInit_ex2(context, aes(key.size()), reinterpret_cast<const unsigned char*>(key.data()), nullptr,
                                  nullptr) == 1 &&
              EVP_CIPHER_CTX_set_padding(context, 0) == 1);
}
Ff1::Ff1(Ff1&& other) noexcept = default;
Ff1::~Ff1() = default;

void Ff1::encrypt(std::string& digits) const {
    Rounds round(prepared_->context, tweak_, digits.size());
    std::uint64_t a = number_of(std::string_view(digits).substr(0, round.u()));
    std::uint64_t b = number_of(std::string_view(digits).substr(round.u()));
    for (int i = 0; i < rounds; ++i) {
        const std::uint64_t c = (a + round.of(i, b)) % round.modulus(i);
        a = b;
        b = c;
    }
    digits = fmt::format("{:0{}}{:0{}}", a, round.u(), b, round.v());
}

void Ff1::decrypt(std::string& digits) const {
    Rounds round(prepared_->context, tweak_, digits.size());
    std::uint64_t a = number_of(std::string_view(digits).substr(0, round.u()));
    std::uint64_t b = number_of(std::string_view(digits).substr(round.u()));
    for (int i = rounds - 1; i >= 0; --i) {
        const std::uint64_t c = (b + round.modulus(i) - round.of(i, a)) % round.modulus(i);
        b = a;
        a = c;
    }
    digits = fmt::format("{:0{}}{:0{}}", a, round.u(), b, round.v());
}

}  // namespace pgsluice::rules
