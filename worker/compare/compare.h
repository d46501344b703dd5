// `pgsluice compare`: proves that the target is what the source is, after rules and routing, at one LSN.
//
// Checksums of ranges first (digest.h), of all tables at both ends in parallel; then the rows of those ranges whose
// checksums differ, by key and digest; then the values of those rows that are to be listed. Memory depends on the
// number of ranges and on the rows of one range, not on the tables.
#pragma once

#include <functional>
#include <span>
#include <stop_token>

#include "sql/lsn.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "worker/compare/options.h"
#include "worker/compare/progress.h"
#include "worker/compare/report.h"
#include "worker/compare/tables.h"

namespace pgsluice {

// `met` is called once both ends are held as of one LSN: what is written to either from then on is not compared.
using WhenMet = std::function<void(Lsn)>;
CompareReport compare(const CompareOptions& options, std::span<const PublishedTable> published, Broker& broker,
                      const Log& log, const std::stop_token& stop, const WhenMet& met = {});

}  // namespace pgsluice
