// Where a sequence of the target must be for its table's rows. Pure: knows no connection.
//
// Every value a sequence gives out differs from the others by a multiple of its increment, which this keeps: numbers
// that a source shares out between databases (INCREMENT 2, odd and even) stay with theirs.
#pragma once

#include <cstdint>
#include <optional>

namespace pgsluice {

struct SequenceState {
    std::int64_t last_value = 1;
    bool is_called = false;  // false: last_value is what it gives next
    std::int64_t increment = 1;
    std::int64_t min = 1;
    std::int64_t max = 1;                   // what both the sequence and the column's type allow
    std::optional<std::int64_t> outermost;  // of the column's values, in the sequence's direction
    // When last_value is ahead of the rows because we set it so: where it would be without that.
    std::optional<std::int64_t> exact;
};

struct SequencePosition {
    std::int64_t exact = 0;  // the last value that counts as given out
    std::int64_t value = 0;  // the same, or further on: what to set

    bool operator==(const SequencePosition&) const = default;
};

// `headroom`: how many values beyond the rows are to count as given out. At most half of what is left, so that the
// sequence still gives values when the target takes over. Nothing where the sequence is to stay as it is.
std::optional<SequencePosition> sequence_position(const SequenceState& state, std::uint64_t headroom);

}  // namespace pgsluice
