// Runs pg_dump on the source and parses its script.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/postgres/schema/schema_entry.h"
#include "sql/connection.h"

namespace pgsluice {

// One entry for each comment of the script as "-- Name: users; Type: TABLE; Schema: public; Owner: -", in the order of
// the dump, which follows dependencies. What precedes the first (SET commands, psql's \restrict) and follows the last
// is left out.
std::vector<SchemaEntry> parse_dump(std::string_view script);

// The output of pg_dump with these arguments. It is looked for in PATH; a stop Error with a hint when it is not there
// or older than the server. The password travels in the environment. Ended when the stop token fires;
// `tell` is called several times a second while it runs.
std::string run_pg_dump(const sql::ConnectOptions& source, int server_version,
                        const std::vector<std::string>& arguments, const std::stop_token& stop,
                        const std::function<void()>& tell);

}  // namespace pgsluice
