// Which tables' UPDATE and DELETE the source refuses because they are published. Pure.
#pragma once

#include <span>
#include <string>

#include "sql/catalog.h"

namespace pgsluice {

// What is wrong and what to do; empty when the source refuses nothing. `server_version` as libpq counts, 180001.
std::string update_refusal(const sql::CatalogTable& table, std::span<const sql::CatalogColumn> columns,
                           int server_version);

}  // namespace pgsluice
