// FF1 (NIST SP 800-38G): decimal digits become as many other digits, and with the key come back.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace pgsluice::rules {

// Calls come from any thread.
class Ff1 {
   public:
    // SP 800-38G asks for a million possible values.
    static constexpr std::size_t least_digits = 6;
    // So that half of them are a number of 64 bits.
    static constexpr std::size_t most_digits = 36;

    // A key of AES: 16, 24 or 32 bytes.
    explicit Ff1(std::string_view key, std::string tweak = {});
    Ff1(Ff1&& other) noexcept;
    ~Ff1();

    // Of 2 digits up to most_digits; the caller sees to least_digits.
    void encrypt(std::string& digits) const;
    void decrypt(std::string& digits) const;

   private:
    struct Prepared;
    class Rounds;
    std::unique_ptr<Prepared> prepared_;
    std::string tweak_;
};

}  // namespace pgsluice::rules
