#include "cmd/status/groups.h"

#include <utility>

#include "sql/error.h"
#include "stream/health/gather.h"

namespace pgsluice {

namespace {

bool is_group(const std::string& name) {
    try {
        return names_for(name).group == name;
    } catch (const Error&) {
        return false;  // another program's stream
    }
}

}  // namespace

std::vector<std::string> groups_in(const StreamCatalog& catalog) {
    std::vector<std::string> found;
    for (std::string& name : catalog.groups())
        if (is_group(name)) found.push_back(std::move(name));
    return found;
}

GroupHealth health_in_nats(Broker& broker, const StreamCatalog& catalog, const Names& names,
                           const HealthThresholds& thresholds) {
    GroupHealth health = gather_health(broker, names, thresholds);
    health.stream.oldest_age = catalog.oldest_age(names.stream);
    return health;
}

}  // namespace pgsluice
