#include "tests/support/same_databases.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/ddl_state.h"

namespace pgsluice::test {

void await_same_databases(Pipeline& pipeline, std::chrono::seconds limit) {
    std::string difference;
    const auto same = [&] {
        pipeline.settle();
        difference = ddl_difference(ddl_state(shared_servers().source, pipeline.source_db(), "public"),
                                    ddl_state(shared_servers().target, pipeline.target_db(), "public"));
        return difference.empty();
    };
    if (eventually("source and target are equal", same, limit)) return;
    FAIL(difference.substr(0, 5000) << "\nthe replicator's messages:\n"
                                    << pipeline.replicator().err() << "\nthe worker's messages:\n"
                                    << pipeline.worker().err());
}

}  // namespace pgsluice::test
