// Checksums of rows. A row's digest is a 64-bit hash of its values; a range's checksum is the number of its rows and
// the sum of their digests modulo 2^64: the order of the rows does not matter, and rows that are there twice count
// twice. Ranges that differ have the same checksum once in 2^64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "stream/change.h"

namespace pgsluice {

struct RangeSum {
    std::uint64_t rows = 0;
    std::uint64_t sum = 0;

    void add(const RangeSum& more) noexcept {
        rows += more.rows;
        sum += more.sum;
    }
    bool operator==(const RangeSum&) const = default;
};

inline std::uint64_t rows_of(std::span<const RangeSum> sums) noexcept {
    std::uint64_t rows = 0;
    for (const RangeSum& sum : sums) rows += sum.rows;
    return rows;
}

// Our own digest, for rows that are read by us at both ends: NULL and the empty string differ, and so do ('a', 'bc')
// and ('ab', 'c').
std::uint64_t digest_of(Row values);
// What PostgreSQL prints for sum(bigint), of any size, modulo 2^64. A std::logic_error when it is no whole number.
std::uint64_t modulo_64(std::string_view decimal);
// A range's number, from 0, for a digest of the key: all of about the same size.
std::size_t range_of(std::uint64_t key_digest, std::size_t ranges);

}  // namespace pgsluice
