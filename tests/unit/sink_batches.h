// Transactions for a sink to write: number k commits at LSN k * 0x100 and inserts `rows` rows, in message k + 1.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sinks/sink.h"

namespace pgsluice::test {

inline const RelationPtr& numbers() {
    static const RelationPtr relation = [] {
        auto made = std::make_shared<Relation>();
        made->schema = "public";
        made->table = "numbers";
        made->columns = {{"n", 20, -1, true, "bigint", 20, 0}, {"note", 25, -1, false, "text", 25, 0}};
        return made;
    }();
    return relation;
}

inline Position position_of(std::uint64_t transaction, std::uint64_t ordinal) {
    return {Lsn{transaction * 0x100}, ordinal};
}

// Rows `from` to `to` of a transaction; complete when asked.
inline void fill(Batch& batch, std::uint64_t transaction, std::uint64_t from, std::uint64_t to, bool complete = true) {
    batch.clear();
    auto begin = std::make_shared<Transaction>();
    begin->xid = static_cast<std::uint32_t>(transaction);
    begin->commit_lsn = Lsn{transaction * 0x100};
    begin->end_lsn = Lsn{transaction * 0x100 + 0x30};
    for (std::uint64_t ordinal = from; ordinal <= to; ++ordinal) {
        const auto row = batch.arena.make<Value>(2);
        row[0] = Value(batch.arena.copy(fmt::format("{}", transaction * 1000 + ordinal)));
        row[1] = Value("some text for the row");
        Change change;
        change.relation = numbers().get();
        change.transaction = begin.get();
        change.position = position_of(transaction, ordinal);
        change.new_row = row;
        batch.changes.push_back(change);
    }
    batch.keep.push_back(begin);
    batch.complete = complete;
    batch.upto = {StreamSeq{transaction + 1}, position_of(transaction, to)};
}

// Row `row` of the snapshot, as a batch of its own.
inline void fill_snapshot(Batch& batch, std::uint64_t epoch, std::uint64_t row) {
    fill(batch, epoch, row, row);
    batch.changes[0].snapshot = true;
    batch.changes[0].transaction = nullptr;
}

struct Directory {
    Directory() {
        char name[] = "/tmp/pgsluice_sink_XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path = name;
    }
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    std::string path;
};

}  // namespace pgsluice::test
