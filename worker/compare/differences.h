// Finds the rows that differ among rows of both ends, by key and digest. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace pgsluice {

// Where a row is, as long as the snapshot lives.
struct RowPlace {
    std::size_t store = 0;  // number in ComparedTable::source or ::target
    std::string ctid;       // "(12,3)"

    bool operator==(const RowPlace&) const = default;
};

struct Difference {
    enum class Kind {
        missing,  // on the source only
        extra,    // on the target only
        changed,  // on both, with other values
    } kind = Kind::missing;
    std::string key;  // as a line of COPY text without its newline; of a row without a key, whatever tells rows apart
    RowPlace source;  // not of an extra row
    RowPlace target;  // not of a missing row

    bool operator==(const Difference&) const = default;
};

class Differences {
   public:
    // All rows of the source come first.
    void at_source(std::string key, std::uint64_t digest, RowPlace place);
    void at_target(std::string key, std::uint64_t digest, RowPlace place);
    // By key, shorter ones first, so that numbers are in their order. Rows that are there several times count so.
    std::vector<Difference> take();

   private:
    struct Row {
        std::uint64_t digest;
        RowPlace place;
    };
    std::unordered_multimap<std::string, Row> source_;
    std::vector<std::pair<std::string, RowPlace>> target_;  // those that met no equal row
};

}  // namespace pgsluice
