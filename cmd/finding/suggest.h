// `pgsluice check rules --suggest`: looks at a source for what is personal, and writes a rules file that hides it.
//
// Values are looked at here and forgotten; none is written, logged or sent.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>

#include "replicator/options.h"
#include "stream/base/log.h"

namespace pgsluice {

// False: a table was left out, for to read its rows would run a user's code with our rights.
bool suggest_rules(const sql::ConnectOptions& source, const TableChoice& choice, std::size_t sample_rows,
                   const std::function<void(const std::string&)>& print, const Log& log, const std::stop_token& stop);

}  // namespace pgsluice
