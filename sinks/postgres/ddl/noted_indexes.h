// Indexes that are still to be built beside the stream (--ddl-build-indexes concurrently), as the table
// pgsluice.index_builds keeps them: from the transaction of their command until they are there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sinks/ddl/derived_statement.h"
#include "sinks/options.h"
#include "sql/connection.h"
#include "stream/definition/ddl_place.h"

namespace pgsluice {

struct NotedIndex {
    std::string id{};
    QualifiedName table{};
    std::string name{};
    std::string text{};  // CREATE [UNIQUE] INDEX name ON ...
    DdlPlace place{};    // of its command
};

// Of one worker. Each call runs on the connection that it is given, in whatever transaction is open there.
class NotedIndexes {
   public:
    explicit NotedIndexes(const PostgresSinkOptions& options) : options_(options) {}

    // Returns its id.
    std::string add(sql::Connection& connection, const DerivedStatement& statement, const DdlPlace& place) const;
    void remove(sql::Connection& connection, const std::string& id) const;
    // The one that was noted first.
    [[nodiscard]] std::optional<NotedIndex> first(sql::Connection& connection) const;
    // Whether a command on these tables may need one of the indexes, or meet its build: it is about the same table, one
    // above it, or one at the other end of a foreign key.
    [[nodiscard]] bool concern(sql::Connection& connection, const std::vector<QualifiedName>& tables) const;

   private:
    const PostgresSinkOptions& options_;
};

}  // namespace pgsluice
