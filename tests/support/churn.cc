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

Churn::Churn(Pipeline& pipeline, int writers) {
    pipeline.on_source(text_of(PGSLUICE_SOURCE_DIR "/tests/migrations/churn.sql"));
    const auto options = shared_servers().source.connect(pipeline.source_db());
    threads_.emplace_back([options](const std::stop_token& stop) {
        sql::Connection connection(options);
        while (!stop.stop_requested()) connection.exec("SELECT churn.refresh(); SELECT pg_catalog.pg_sleep(0.1)");
    });
    for (int i = 0; i < writers; ++i)
        threads_.emplace_back([this, options](const std::stop_token& stop) {
            sql::Connection connection(options);
            // In a deadlock with a migration the writer is to be the one that gives up.
            connection.exec("SET lock_timeout = '200ms'");
            for (; !stop.stop_requested(); ++transactions_) connection.exec("SELECT churn.change()");
        });
}

Churn::~Churn() { stop(); }

void Churn::await(int transactions) {
    const int upto = transactions_ + transactions;
    eventually("the writers have written", [&] { return transactions_ >= upto; });
}

void Churn::stop() { threads_.clear(); }

}  // namespace pgsluice::test
