// The table of metrics: the page beside it has the same, and names are as Prometheus wants them.
#include "cmd/http/metric_table.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

using namespace pgsluice;

namespace {

std::vector<std::string> rows_of_page() {
    std::ifstream page(PGSLUICE_SOURCE_DIR "/cmd/http/README.md");
    std::vector<std::string> rows;
    for (std::string line; std::getline(page, line);)
        if (line.rfind("| `pgsluice_", 0) == 0) rows.push_back(line);
    return rows;
}

std::string row(const Metric& metric) {
    return fmt::format("| `{}` | {} | {} | {} | {} |", metric.name, to_string(metric.kind), to_string(metric.role),
                       metric.labels, metric.help);
}

}  // namespace

TEST_CASE("the page lists each metric as it is, in the same order") {
    const auto rows = rows_of_page();
    REQUIRE(rows.size() == metrics().size());
    for (std::size_t i = 0; i < rows.size(); ++i) CHECK(rows[i] == row(metrics()[i]));
}

TEST_CASE("counters end in _total, others do not, and no name is there twice") {
    std::set<std::string_view> names;
    for (const Metric& metric : metrics()) {
        INFO(std::string(metric.name));
        CHECK(names.insert(metric.name).second);
        CHECK(metric.name.rfind("pgsluice_", 0) == 0);
        CHECK(metric.name.ends_with("_total") == (metric.kind == MetricKind::counter));
    }
}
