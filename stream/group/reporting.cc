#include "stream/group/reporting.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "sql/error.h"

namespace pgsluice {

std::unique_ptr<Broker> connect_for_reports(const BrokerOptions& nats, std::stop_token stop) {
    return Broker::connect(beside_data(nats, 1000, 1500), silent_log, std::move(stop));
}

void try_to_report(const Log& log, const std::function<void()>& report) {
    try {
        report();
    } catch (const std::exception& error) {
        log(LogLevel::debug, fmt::format("unable to report to the group for now: {}", error.what()));
    } catch (const Interrupted&) {
    }
}

}  // namespace pgsluice
