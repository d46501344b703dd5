// A source database with a group's DDL capture as the replicator installs it, and what it writes into the log.
#pragma once

#include <string>
#include <vector>

#include "replicator/source/ddl/functions.h"
#include "sql/connection.h"

namespace pgsluice::test {

class DdlSource {
   public:
    // `before`: statements that run before the capture is installed. `joining`: a condition on n.nspname and t.relname.
    explicit DdlSource(const std::string& before = "", const std::string& joining = "false",
                       const std::string& published = "");
    ~DdlSource();
    DdlSource(const DdlSource&) = delete;
    DdlSource& operator=(const DdlSource&) = delete;

    // One text for the server.
    void run(const std::string& statements) { session_.exec(statements); }
    [[nodiscard]] std::string scalar(const std::string& query);
    [[nodiscard]] sql::Connection connect() const;
    // Keeps the definitions of all there is.
    void fill();

    // The contents of the messages since the last call.
    std::vector<std::string> messages();
    // The same in short: "ALTER TABLE: table public.t changed columns; index public.i new".
    std::vector<std::string> said();
    // A value in the content of a message: json(m, "objects,0,after,name").
    [[nodiscard]] std::string json(const std::string& message, const std::string& path);

    [[nodiscard]] const std::string& database() const noexcept { return database_; }
    [[nodiscard]] const std::string& group() const noexcept { return scope_.suffix; }

   private:
    std::string database_;
    std::string slot_;
    ddl::Scope scope_;
    sql::Connection session_;
    sql::Connection reader_;
};

}  // namespace pgsluice::test
