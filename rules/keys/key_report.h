// What `pgsluice check rules` says of foreign keys.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rules/ruleset.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

struct CheckedTable;

// A paragraph with a line for each column that refers to others; empty when there is none.
std::string keys_text(std::span<const rules::ReferringColumn> columns);
// Its fields: "table":...,"column":...,"refers_to":[...],"state":...,"rules":...
void append_key(JsonText& json, const rules::ReferringColumn& one);
// Warnings of columns that refer to rows which filters or routes may leave out.
std::vector<std::string> lost_references(const Ruleset& ruleset, std::span<const CheckedTable> tables);

}  // namespace pgsluice
