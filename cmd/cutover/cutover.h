// `pgsluice cutover`: moves the application of a running group from the source to the target.
//
//   1. nothing is done before the group is found ready (readiness.h), and equal so far (compare)
//   2. the target's tables are analyzed; the way back is begun
//   3. once no table is to be copied and the lag is small, writes to the source are stopped (write_stop.h)
//   4. an LSN is taken after that, and the worker says when the target has all before it (worker/compare/cut.h); no
//      table of the group may have been copied later, or have joined it since
//   5. sequences and triggers of the target are set; then it is recorded that the application may write there
//   6. constraints are validated; the comparison as of that LSN ends
//
// Whatever fails in 3 to 5 puts the source back as it was. After 5 nothing is put back: the application may have
// written to the target. Killed anywhere, it is run again and finds out from the source's catalog and the group's
// record what was done.
#pragma once

#include <stop_token>

#include "cmd/cli/settings.h"
#include "stream/base/log.h"

namespace pgsluice {

void run_cutover(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
