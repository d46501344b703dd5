// A worker's share of a group's rows (`--share 2/4`): which one a row belongs to.
//
// The hash is documented in worker/README.md, and consumers may compute it; it never changes. It is FNV-1a (64 bits)
// over the texts of a row's place, each followed by a zero byte, which no text of PostgreSQL holds: the source's
// schema, its table, then the values of the key's columns in the table's order; mixed once more (MurmurHash3's fmix64),
// because FNV-1a leaves the high bits alone that choose the share. Share K of N has the rows whose upper 32 bits, h,
// give floor(h * N / 2^32) = K - 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice {

class ShareHash {
   public:
    ShareHash& add(std::string_view text) noexcept;
    [[nodiscard]] std::uint64_t value() const noexcept;

   private:
    std::uint64_t hash_ = 0xcbf29ce484222325;
};

enum class ShareBy : std::uint8_t { key, table };

// Where a row is in both orders: by its key, and by its table. A table without a key has the table's hash for both.
struct RowHash {
    std::uint64_t key = 0;
    std::uint64_t table = 0;

    bool operator==(const RowHash&) const = default;
};

struct Share {
    std::uint32_t number = 1;  // from 1
    std::uint32_t count = 1;   // 1: all rows
    ShareBy by = ShareBy::key;

    [[nodiscard]] bool is_all() const noexcept { return count == 1; }
    [[nodiscard]] bool has(const RowHash& row) const noexcept;
    // Of the same set: together with the others of it, all rows once.
    [[nodiscard]] bool same_set(const Share& other) const noexcept {
        return count == other.count && (by == other.by || count == 1);
    }
    bool operator==(const Share&) const = default;
};

constexpr std::uint32_t most_shares = 1024;

// "2/4"; nothing when it is not that.
std::optional<Share> parse_share(std::string_view text);
std::string to_string(const Share& share);
// The number of the share, of so many, that a hash is in.
std::uint32_t share_of(std::uint64_t hash, std::uint32_t count);
// Whether a row may be in both.
bool overlap(const Share& a, const Share& b);
// Where a share begins: the least hash in it, or one above all others for one after the last.
std::uint64_t first_hash(std::uint32_t number, std::uint32_t count);

// What a worker with a share is called in KV and in its sink: "webhook-2of4", by table "postgres-2of4-table". No user
// can give a worker such a name, because `-` counts as `_` there.
struct ShareWorker {
    std::string base;
    Share share;
};
std::string share_worker(const std::string& base, const Share& share);
ShareWorker parse_share_worker(std::string_view name);

}  // namespace pgsluice
