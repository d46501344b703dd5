// A source whose DDL is captured and a target that the definitions are applied to, without a stream between them: what
// the triggers write is handed to the sink.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sinks/postgres/sink.h"
#include "tests/support/ddl_source.h"
#include "tests/support/sink_feed.h"

namespace pgsluice::test {

class DdlPair {
   public:
    // The group takes in all tables of schemas whose names begin with "f".
    DdlPair();

    void on_source(const std::string& statements) { source_.run(statements); }
    void on_target(const std::string& statements);
    // Applies what was captured since the last call; the error that it ends with, or "". Rows of tables that the source
    // has rewritten are copied again, unless `convert` says that the target can do it.
    std::string apply(bool convert = false);
    // Gives the target's tables the source's rows.
    void copy_rows();

    // All that the catalogs say of schemas that begin with "f", and all rows, one line each.
    [[nodiscard]] std::vector<std::string> source_state();
    [[nodiscard]] std::vector<std::string> target_state();
    [[nodiscard]] const std::vector<std::string>& log() const noexcept { return log_; }

   private:
    void copy_table(const std::string& table);

    DdlSource source_;
    std::string target_;
    PostgresSinkOptions options_;
    std::vector<std::string> log_;
    std::unique_ptr<Sink> sink_;
    SinkFeed feed_;
};

}  // namespace pgsluice::test
