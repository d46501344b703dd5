#include "cmd/cli/rules_of_workers.h"

#include <fmt/format.h>

namespace pgsluice {

void leave_rules_to_workers(GivenSettings& given, std::vector<std::string>& warnings) {
    if (const Given* rules = given.find("rules-config"))
        warnings.push_back(
            fmt::format("{} is for workers, and this replicator publishes rows as they are; to apply "
                        "rules before anything is published, give it --rules-config on its command line",
                        rules->where));
    given.remove("rules-config");
    given.remove("on-rules-change");
}

}  // namespace pgsluice
