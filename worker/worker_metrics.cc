#include "worker/worker_metrics.h"

#include "worker/options.h"

namespace pgsluice {

std::shared_ptr<WorkerMetrics> new_worker_metrics() { return std::make_shared<WorkerMetrics>(); }

}  // namespace pgsluice
