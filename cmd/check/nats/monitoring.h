// nats-server's monitoring over HTTP.
#pragma once

#include <string>

#include "stream/health/server_figures.h"

namespace pgsluice {

struct MonitoringLook {
    ServerFigures figures;
    double asked_at = 0;  // seconds since 1970, by our clock: halfway between question and answer
};

// `url`: "http://host:8222". A stop Error when it cannot be read.
MonitoringLook look_at_monitoring(const std::string& url);

}  // namespace pgsluice
