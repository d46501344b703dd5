#include "tests/support/churn.h"

#include <fstream>
#include <iterator>
#include <string>

#include "sql/connection.h"

namespace pgsluice::test {

namespace {

std::string text_of(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Churn::Churn(Pipeline& pipeline) {
    pipeline.on_source(text_of(PGSLUICE_SOURCE_DIR "/tests/migrations/churn.sql"));
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
