// Which database a transaction was first made in, so that no worker writes it back there.
//
// A worker marks what it writes with a replication origin of the target (sinks/postgres/origins.h). The origin's name
// says whose worker that is and where the changes come from; who reads the target's log finds it there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stream/change.h"
#include "stream/message.h"

namespace pgsluice {

// A database, wherever it is reached: "7301234567890123456/shop". Empty when the group's stream does not say.
std::string database_id(std::string_view system_identifier, std::string_view dbname);
inline std::string database_id(const GroupInfo& source) { return database_id(source.system_identifier, source.dbname); }

// pgsluice/<group>/<worker>/<database>/<part>/<source>
struct OriginName {
    std::string group;
    std::string worker;
    Oid database = 0;    // the target's: names of origins are the server's, not the database's
    std::string part;    // only one session at a time may use an origin: what of the worker's
    std::string source;  // database_id(); comes last, for a database's name may hold anything

    bool operator==(const OriginName&) const = default;
};

std::string to_string(const OriginName& name);
// Nothing: it is no worker of pgsluice's.
std::optional<OriginName> parse_origin_name(std::string_view text);

}  // namespace pgsluice
