#include "sinks/postgres/ddl/index_build.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "sinks/postgres/rights/as_owner.h"
#include "sql/error.h"
#include "sql/quote.h"
#include "stream/base/failpoint.h"

namespace pgsluice {

namespace {

std::string concurrently(const std::string& text) {
    constexpr std::string_view word = "INDEX ";  // CREATE [UNIQUE] INDEX name
    const auto at = text.find(word) + word.size();
    return text.substr(0, at) + "CONCURRENTLY " + text.substr(at);
}

class IndexBuild {
   public:
    IndexBuild(sql::Connection& connection, const NotedIndex& index, const Log& log)
        : connection_(connection),
          index_(index),
          log_(log),
          table_(sql::quote_qualified(index.table.schema, index.table.table)),
          name_(sql::quote_qualified(index.table.schema, index.name)) {}

    void run() {
        become_owner();
        await_older();
        const auto valid = found();
        if (valid == true) return log_(LogLevel::info, fmt::format("index {} is there", name_));
        if (valid == false) drop();
        log_(LogLevel::info, fmt::format("building index {} beside the stream", name_));
        PGSLUICE_FAILPOINT("postgres-index-build");
        try {
            connection_.exec(concurrently(index_.text));
        } catch (const SqlError& error) {
            // What is left of a unique one would refuse rows.
            if (error.action() != Action::retry && found() == false) drop();
            throw;
        }
        log_(LogLevel::info, fmt::format("built index {}", name_));
    }

   private:
    // PostgreSQL evaluates an index's expressions with the rights of the table's owner, and no more, whoever makes it.
    void become_owner() {
        connection_.exec("RESET ROLE");
        if (const auto owner = owner_of(connection_, {index_.table}, std::nullopt))
            connection_.exec("SET ROLE " + sql::quote_identifier(*owner));
    }
    // The server does not see that a worker was killed, and builds on.
    void await_older() {
        connection_.exec(fmt::format("BEGIN; LOCK TABLE ONLY {} IN SHARE UPDATE EXCLUSIVE MODE; COMMIT", table_),
                         fmt::format("build index {}", name_));
    }
    // Whether the table's index of the name is valid; nothing where it has none.
    std::optional<bool> found() {
        const auto there = connection_.query(
            "SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass($1) AND indrelid = "
            "pg_catalog.to_regclass($2)",
            {name_, table_}, {1});
        return there.rows() == 0 ? std::nullopt : std::optional(there.boolean(0, 0));
    }
    void drop() { connection_.exec("DROP INDEX CONCURRENTLY " + name_); }

    sql::Connection& connection_;
    const NotedIndex& index_;
    const Log& log_;
    std::string table_;
    std::string name_;
};

}  // namespace

void build_index(sql::Connection& connection, const NotedIndex& index, const Log& log) {
    IndexBuild(connection, index, log).run();
}

}  // namespace pgsluice
