// Captured DDL on a target.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sinks/postgres/session.h"
#include "stream/base/log.h"
#include "stream/change.h"
#include "stream/format/ddl_message.h"

namespace pgsluice {

struct DdlStatement {
    std::string text;                     // one statement that may run in a transaction
    std::string search_path;              // as at the source
    std::string what;                     // for messages: "ALTER TABLE on 'public.users' at 0/16B2D50:3"
    bool drops = false;                   // what it names may be gone already
    bool contained = false;               // what it makes may have come with a schema that was copied later
    std::vector<QualifiedName> tables{};  // that it is about
};

// What to run; nothing when it is not run, which was logged. A stop Error with the way out when it must not be run and
// later rows may depend on it.
std::optional<DdlStatement> ddl_statement(const Change& change, bool apply, const Log& log);

// In the open transaction: as the owner of its tables; where they are not there yet, as `maker`, or as ourselves.
void run_ddl(PostgresSession& session, const DdlStatement& statement, const std::optional<std::string>& maker,
             const Log& log);

}  // namespace pgsluice
