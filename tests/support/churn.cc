#include "tests/support/churn.h"

#include <string>

#include "sql/connection.h"
#include "tests/support/read_file.h"

namespace pgsluice::test {

Churn::Churn(Pipeline& pipeline) {
    pipeline.on_source(read_file(PGSLUICE_SOURCE_DIR "/tests/migrations/churn.sql"));
    const auto options = shared_servers().source.connect(pipeline.source_db());
    refresher_ = std::jthread([options](const std::stop_token& stop) {
        sql::Connection connection(options);
        while (!stop.stop_requested()) connection.exec("SELECT churn.refresh(); SELECT pg_catalog.pg_sleep(0.1)");
    });
    writers_.emplace(options, [](int) { return "SELECT churn.change()"; });
}

void Churn::stop() {
    refresher_ = {};
    writers_->stop();
}

}  // namespace pgsluice::test
