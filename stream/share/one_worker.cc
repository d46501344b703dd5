#include "stream/share/one_worker.h"

#include <fmt/format.h>

#include "sql/error.h"
#include "stream/share/share.h"

namespace pgsluice {

void require_one_worker(const std::string& doing, const std::string& worker, const std::vector<std::string>& workers) {
    for (const std::string& one : workers) {
        const ShareWorker other = parse_share_worker(one);
        if (other.base != worker || other.share.is_all()) continue;
        throw stop_error(fmt::format("unable to {}: the rows of worker '{}' are shared by several, one of them '{}'",
                                     doing, worker, one),
                         "Stop all of them, and start one worker of that name without --share, which takes over.");
    }
}

}  // namespace pgsluice
