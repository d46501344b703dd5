// A value of an INSERT as pg_dump writes it, as COPY text.
#pragma once

#include <string>

#include "worker/dump/token_cursor.h"

namespace pgsluice::dump {

// NULL, true, false, a number, 'text', E'text', B'0101'. Throws for anything else: what it comes to, only a server
// could say.
void append_insert_value(std::string& line, const Statement& statement, TokenCursor& tokens);

}  // namespace pgsluice::dump
