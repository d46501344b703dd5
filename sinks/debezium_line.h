// Changes in Debezium's envelope for PostgreSQL, one JSON object a line, as its JSON converter writes them without
// schemas: before, after, source, op (c, u, d, r for a row of the initial copy, t, m for a message), ts_ms,
// transaction.
//
// Where Debezium counts record LSNs, which repeat, we have the commit's: source.lsn and both parts of source.sequence
// are the commit LSN in decimal, and transaction.total_order (also given as data_collection_order) tells changes of a
// transaction apart. source.db is not known here and left out. Values are those of json_value.h; an unchanged TOASTed
// value is "__debezium_unavailable_value". DDL and the start of a copy that replaces another are messages with the
// prefixes pgsluice.ddl and pgsluice.snapshot.
#pragma once

#include <memory>
#include <string>

#include "sinks/json_line.h"

namespace pgsluice {

// `name` becomes source.name.
std::unique_ptr<LineEncoder> make_debezium_encoder(std::string name);

}  // namespace pgsluice
