// Changes in Debezium's envelope for PostgreSQL (its manual, "Data change events"), one JSON object a line, as its JSON
// converter writes them without schemas.
//
//   op            c, u, d; r for a row of a snapshot, t for each table of a truncate, m for a message
//   before        the old key, the old row under REPLICA IDENTITY FULL, null where neither is known
//   after         the new row; a TOASTed value that was not touched is "__debezium_unavailable_value"
//   source        version, connector, name (the group), ts_ms, ts_us, ts_ns (of the commit), snapshot ("true",
//   "false"),
//                 db, sequence, schema, table, txId, lsn, xmin (null)
//   ts_ms, ts_us, ts_ns   when the line was made
//   transaction   id (txId:lsn), total_order, data_collection_order; null for a snapshot's rows
//   message       prefix and content (base64); only with op m
//
// An update that changes the key is two lines, d with the old key and c with the new row, as Debezium does it; not
// under REPLICA IDENTITY FULL, where the log does not say which columns are the key.
//
// Different from Debezium: it counts record LSNs, which repeat; source.lsn and both parts of source.sequence are the
// commit LSN here, and total_order, our ordinal (with gaps where rules or other tables took numbers), tells the changes
// of a transaction apart. Nothing is "first" or "last" of a snapshot, for its rows come over several connections.
// Values are those of json_value.h. DDL and the start of a copy that replaces another are messages with the prefixes
// pgsluice.ddl and pgsluice.snapshot.
#pragma once

#include <memory>
#include <string>

#include "sinks/lines/json_line.h"

namespace pgsluice {

// `name` becomes source.name.
std::unique_ptr<LineEncoder> make_debezium_encoder(std::string name, std::string share);

}  // namespace pgsluice
