// A DDL command as it travels in the stream: the content of a message with prefix kDdlPrefix (FORMAT.md, "DDL").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/change.h"

namespace pgsluice {

inline constexpr std::string_view kDdlPrefix = "pgsluice.ddl";

struct DdlObject {
    std::string type;      // as PostgreSQL says: "table", "table column", "index"
    std::string identity;  // "public.users", "public.users.email"
    std::string schema;    // of the table that it is or belongs to; of a dropped index, its own
    std::string table;     // empty for a dropped index
    // The partitioned tables above the table, the nearest first; nothing where the source could not tell.
    std::optional<std::vector<QualifiedName>> ancestors{};

    bool operator==(const DdlObject&) const = default;
};

struct DdlMessage {
    std::string event;        // ddl_command_end or sql_drop
    std::string tag;          // ALTER TABLE
    std::string command;      // what the client sent, which may be more than this command; empty: not known
    std::string search_path;  // the session's, as the setting reads
    std::vector<DdlObject> objects;
    // Why a target must not run the command as it stands; empty: it may. The rules say so, the source never does.
    std::string obstacle;

    bool operator==(const DdlMessage&) const = default;
};

std::string encode(const DdlMessage& message);
// A stop Error naming the field when it is not one.
DdlMessage decode_ddl(std::string_view content);

}  // namespace pgsluice
