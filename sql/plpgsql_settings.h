// What PL/pgSQL is to check in functions by an administrator's wish, which may refuse them: not in ours.
#pragma once

namespace pgsluice::sql {

// Of a function.
inline constexpr const char* without_extra_checks =
    "SET plpgsql.extra_errors = 'none' SET plpgsql.extra_warnings = 'none'";

}  // namespace pgsluice::sql
