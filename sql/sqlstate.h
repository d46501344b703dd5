// What a SQLSTATE (manual, appendix A) means for us: whether a retry may help, and what the user can do.
#pragma once

#include <string>
#include <string_view>

#include "sql/error.h"

namespace pgsluice::sql {

inline constexpr std::string_view check_violation = "23514";  // of a CHECK constraint, or of a partition's bounds

Action action_for(std::string_view sqlstate);
// Of the server itself: class XX.
bool is_internal_error(std::string_view sqlstate);
// What the catalog's functions answer about an object that another session drops while they look: at the next try it is
// gone. The server does not translate these messages.
bool is_catalog_race(std::string_view sqlstate, std::string_view message);
// Of reading a slot: an internal error of the server's decoding may pass by itself, as native replication takes it.
Action action_for_decoding(std::string_view sqlstate);
// Empty when we have nothing to add to the message. `role` is the session's, quoted, for statements about it.
std::string hint_for(std::string_view sqlstate, std::string_view role = "role");
// The same for a statement that the server refused, by what it said. `context` is the server's CONTEXT field, which
// names the function that was running, if one was.
std::string hint_for(std::string_view sqlstate, std::string_view message, std::string_view context,
                     std::string_view role = "role");
// The server's primary message without the value that caused it: data exceptions (class 22) quote it, or show its
// bytes.
std::string without_values(std::string_view sqlstate, std::string_view message);
// Whether the server refused the row being written (its values, a constraint, a trigger's RAISE EXCEPTION), as opposed
// to the statement, the role or the state of the server.
bool refuses_row(std::string_view sqlstate);

// libpq reports a failed connection attempt as text only. With PQERRORS_VERBOSE each server message in it reads
// "SEVERITY:  28P01: reason", in any language; the last attempt's code counts. Empty when no server answered.
std::string sqlstate_in(std::string_view verbose_text);
// The same text as one line, without the codes and source locations.
std::string one_line(std::string_view verbose_text);

}  // namespace pgsluice::sql
