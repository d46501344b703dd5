#include "sinks/postgres/sequences/sequence_position.h"

#include <algorithm>
#include <limits>

namespace pgsluice {

namespace {

// A sequence that counts down is looked at in a mirror, in which it counts up.
class Mirror {
   public:
    explicit Mirror(bool turned) : turned_(turned) {}
    [[nodiscard]] std::int64_t operator()(std::int64_t value) const noexcept { return turned_ ? ~value : value; }

   private:
    bool turned_;
};

// Whole steps from `low` to at most `high`.
std::uint64_t steps(std::int64_t low, std::int64_t high, std::uint64_t step) noexcept {
    return high <= low ? 0 : (static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low)) / step;
}

std::int64_t advance(std::int64_t from, std::uint64_t count, std::uint64_t step) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + count * step);
}

// The last value given out; for a sequence that gave none, the one before its first.
std::int64_t last_given(const SequenceState& state, std::int64_t mirrored, std::uint64_t step) noexcept {
    if (state.is_called) return mirrored;
    const bool has_one_before =
        static_cast<std::uint64_t>(mirrored) - static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::min()) >=
        step;
    return has_one_before ? static_cast<std::int64_t>(static_cast<std::uint64_t>(mirrored) - step) : mirrored;
}

}  // namespace

std::optional<SequencePosition> sequence_position(const SequenceState& state, std::uint64_t headroom) {
    if (state.increment == 0) return std::nullopt;
    const bool down = state.increment < 0;
    const Mirror mirror(down);
    const std::uint64_t step =
        down ? 0 - static_cast<std::uint64_t>(state.increment) : static_cast<std::uint64_t>(state.increment);
    const std::int64_t low = mirror(down ? state.max : state.min);
    const std::int64_t high = mirror(down ? state.min : state.max);
    const std::int64_t given = last_given(state, mirror(state.last_value), step);
    std::int64_t exact = state.exact ? mirror(*state.exact) : given;
    std::int64_t value = exact;
    if (state.outermost) {
        const std::int64_t outermost = mirror(*state.outermost);
        if (outermost < low || outermost > high) return std::nullopt;  // no value of this sequence
        exact = value = advance(exact, steps(exact, outermost, step), step);
        // Values that the sequence is ahead of the rows anyway are headroom, too.
        const std::uint64_t had = steps(outermost, exact, step);
        const std::uint64_t wanted = headroom > had ? headroom - had : 0;
        value = advance(exact, std::min(wanted, steps(exact, high, step) / 2), step);
    }
    const bool stays =
        state.is_called ? value == given && (!state.exact || exact == mirror(*state.exact)) : value <= given;
    if (stays) return std::nullopt;
    return SequencePosition{mirror(exact), mirror(value)};
}

}  // namespace pgsluice
