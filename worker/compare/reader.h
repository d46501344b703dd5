// Reads rows of one end over one connection. Not for two threads at a time.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/connection.h"
#include "stream/base/arena.h"
#include "worker/compare/differences.h"
#include "worker/compare/digest.h"
#include "worker/compare/statements.h"
#include "worker/compare/table.h"

namespace pgsluice {

class RowReader {
   public:
    explicit RowReader(sql::Connection& connection) : connection_(connection) {}

    // Adds the checksums of the rows that are there and compared to `sums`, one per range of the table; returns their
    // number.
    std::uint64_t sums(const ComparedTable& table, const RowStore& store, const Part& part,
                       std::vector<RangeSum>& sums);
    // The key (as a line of COPY text; of a table without one, the digest), digest and ctid of each row in the ranges.
    using UseDigest = std::function<void(std::string key, std::uint64_t digest, std::string ctid)>;
    void digests(const ComparedTable& table, const RowStore& store, std::span<const std::size_t> ranges,
                 const std::optional<Pages>& pages, const UseDigest& use);
    // The compared columns of a row, found by its ctid or by its key; nothing where there is none, or a filter leaves
    // it out.
    using Texts = std::vector<std::optional<std::string>>;
    std::optional<Texts> row(const RowStore& store, const std::string& ctid);
    std::optional<Texts> row_by_key(const RowStore& store, const Texts& key);

   private:
    std::optional<Texts> one_row(const RowStore& store, const std::string& statement,
                                 std::span<const sql::Param> params);
    // Also the number of the range that the row is in, which is compared.
    using UseRow = std::function<void(std::string_view ctid, std::size_t range, Row compared)>;
    void read(const ComparedTable& table, const RowStore& store, const std::optional<Part>& part, const UseRow& use);
    Row after_rules(const RowStore& store, Row values);

    sql::Connection& connection_;
    Arena arena_;
};

}  // namespace pgsluice
