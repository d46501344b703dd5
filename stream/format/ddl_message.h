// A DDL command in the stream: the content of a message with prefix ddl_message_prefix (FORMAT.md, "DDL").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/change.h"

namespace pgsluice {

inline constexpr std::string_view ddl_message_prefix = "pgsluice.ddl";

struct DdlObject {
    std::string type;      // PostgreSQL's term: "table", "table column", "index"
    std::string identity;  // "public.users", "public.users.email"
    std::string schema;    // of the table itself or the table it belongs to; of a dropped index, its own
    std::string table;     // empty for a dropped index
    // The partitioned tables above the table, nearest first; nothing where the source did not know.
    std::optional<std::vector<QualifiedName>> ancestors{};

    bool operator==(const DdlObject&) const = default;
};

struct DdlMessage {
    std::string event;        // ddl_command_end or sql_drop
    std::string tag;          // ALTER TABLE
    std::string command;      // the text the client sent, which may hold more than this command; empty: not known
    std::string search_path;  // the session's setting
    std::vector<DdlObject> objects;
    // Why a target must not run the command as it is; empty: it may. Set by the rules, never by the source.
    std::string obstacle;

    bool operator==(const DdlMessage&) const = default;
};

std::string encode(const DdlMessage& message);
// A stop Error that names the field when it is malformed.
DdlMessage decode_ddl(std::string_view content);

}  // namespace pgsluice
