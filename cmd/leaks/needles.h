// What is looked for: keyed hashes of the values that rules hide, with the column each is of. No value is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cmd/leaks/tokens.h"

namespace pgsluice {

// Of the source, and what became of its sampled values.
struct HiddenColumn {
    std::string name;        // "public.users.email"
    std::string skipped{};   // why none of it is looked for; empty: some are
    std::size_t values = 0;  // that are looked for
    std::size_t too_short = 0;
    std::size_t common = 0;  // words that many may use, or of many rows
    std::size_t kept = 0;    // what the rule itself leaves of them
};

struct Needle {
    std::uint32_t column = 0;
    // Of digits and of the lists' words only: a fake may be the same by chance.
    bool makeable = false;
};

enum class Telling { yes, too_short, common };
// Whether a text says whose it is, when it is found somewhere.
Telling is_telling(std::string_view text);

class Needles {
   public:
    Needles() : key_(HashKey::random()) {}

    // Takes the values of one hidden column, row by row.
    class Column {
       public:
        Column(Needles& needles, std::string name);
        // A text of a row's value; `left`: the hashes of what the rule has left of it.
        void add(std::string_view text, const std::unordered_set<std::uint64_t>& left);
        void skip(std::string reason);
        // After the last of `rows`: what came too often is no needle.
        void finish(std::size_t rows);

       private:
        struct Candidate {
            std::size_t times = 0;
            bool makeable = false;
        };
        void add_window(std::string_view text, const std::unordered_set<std::uint64_t>& left);

        Needles& needles_;
        HiddenColumn column_;
        std::unordered_map<std::uint64_t, Candidate> candidates_;
    };

    // Null where it is none.
    [[nodiscard]] const Needle* find(std::uint64_t hash) const {
        if (filter_.empty() || (filter_[hash >> 6 & (filter_.size() - 1)] >> (hash & 63) & 1) == 0) return nullptr;
        const auto found = needles_.find(hash);
        return found == needles_.end() ? nullptr : &found->second;
    }
    // After the last column, before the first find().
    void close();
    [[nodiscard]] const HashKey& key() const { return key_; }
    [[nodiscard]] const std::vector<HiddenColumn>& columns() const { return columns_; }
    [[nodiscard]] std::size_t size() const { return needles_.size(); }

   private:
    HashKey key_;
    std::unordered_map<std::uint64_t, Needle> needles_;
    std::vector<std::uint64_t> filter_;  // a Bloom filter of one bit, for most texts are none
    std::vector<HiddenColumn> columns_;
};

}  // namespace pgsluice
