// Transactions that have been writing for long: creating a slot waits for them.
#pragma once

#include <stop_token>

#include "cmd/check/checked_source.h"
#include "cmd/check/findings.h"

namespace pgsluice {

void look_at_transactions(CheckedSource& source, Findings& found, const std::stop_token& stop);

}  // namespace pgsluice
