#include "rules/transforms/keyed/draw.h"

#include <bit>

namespace pgsluice::rules {
namespace {

// Big-endian on every machine.
std::uint64_t word(const unsigned char* bytes) noexcept {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | bytes[i];
    return value;
}

}  // namespace

Draw::Draw(const Hmac::Digest& seed) noexcept
    : state_{word(seed.data()), word(seed.data() + 8), word(seed.data() + 16), word(seed.data() + 24)} {}

std::uint64_t Draw::next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

// Lemire, "Fast Random Integer Generation in an Interval": what would make some results more likely is drawn again.
std::uint64_t Draw::below(std::uint64_t bound) noexcept {
    if (bound == 0) return next();
    unsigned __int128 product = static_cast<unsigned __int128>(next()) * bound;
    if (static_cast<std::uint64_t>(product) < bound) {
        const std::uint64_t uneven = (0 - bound) % bound;
        while (static_cast<std::uint64_t>(product) < uneven) product = static_cast<unsigned __int128>(next()) * bound;
    }
    return static_cast<std::uint64_t>(product >> 64);
}

std::int64_t Draw::between(std::int64_t least, std::int64_t most) noexcept {
    const std::uint64_t width = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least) + 1;
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + below(width));
}

void Draw::append_digits(std::string& out, std::size_t count) { append_of(out, "0123456789", count); }

void Draw::append_of(std::string& out, std::string_view characters, std::size_t count) {
    for (; count > 0; --count) out += of(characters);
}

}  // namespace pgsluice::rules
