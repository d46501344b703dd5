// Debian's Prometheus reads what we give it: its own checks of metrics, configuration and rules, a server that scrapes
// real processes, and the dashboard and alerts, which use only metrics that exist.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "cmd/http/metric_table.h"
#include "tests/support/http_get.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

const std::string examples = PGSLUICE_SOURCE_DIR "/examples/";

std::string contents(const std::string& path) {
    std::ifstream file(path);
    REQUIRE(file);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text;
    REQUIRE(file.good());
}

// Names in expressions; a histogram's series count as the histogram.
std::set<std::string> metrics_named_in(const std::string& text) {
    static const std::regex name("pgsluice_[a-z_]+");
    std::set<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), name); at != std::sregex_iterator(); ++at) {
        std::string metric = at->str();
        for (const std::string suffix : {"_bucket", "_count", "_sum"})
            if (metric.ends_with(suffix) && find_metric(metric) == nullptr)
                metric.resize(metric.size() - suffix.size());
        found.insert(metric);
    }
    return found;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

std::string host_of(const std::string& url) { return url.substr(url.rfind('/') + 1); }

}  // namespace

TEST_CASE("dashboard and alerts use only metrics that exist") {
    for (const std::string file : {"alerts.yaml", "alerts_test.yaml", "grafana.json"}) {
        const auto names = metrics_named_in(contents(examples + file));
        CHECK(names.size() > 5);
        for (const std::string& name : names) {
            INFO(file, ": ", name);
            CHECK(find_metric(name) != nullptr);
        }
    }
}

TEST_CASE("Prometheus accepts the example's configuration and rules, and each alert fires in its test") {
    must_succeed(run({"promtool", "check", "config", examples + "prometheus.yaml"}));
    must_succeed(run({"promtool", "check", "rules", examples + "alerts.yaml"}));
    must_succeed(run({"promtool", "test", "rules", examples + "alerts_test.yaml"}));
    static const std::regex alert("alert: (\\w+)");
    const std::string rules = contents(examples + "alerts.yaml");
    const std::string tests = contents(examples + "alerts_test.yaml");
    for (std::sregex_iterator at(rules.begin(), rules.end(), alert); at != std::sregex_iterator(); ++at) {
        INFO((*at)[1].str());
        CHECK(contains(tests, "alertname: " + (*at)[1].str() + "\n        exp_alerts:"));
    }
}

TEST_CASE("a Prometheus that scrapes a replicator and a worker has all their metrics, without a complaint") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE items (id int PRIMARY KEY)");
    pipeline.on_source("INSERT INTO items SELECT generate_series(1, 100)");
    pipeline.start_replicator({"--copy-and-stream", "--http-listen", "127.0.0.1:0"});
    pipeline.start_worker({"--http-listen", "127.0.0.1:0"});
    pipeline.settle();
    const std::string source = served_at(pipeline.replicator());
    const std::string target = served_at(pipeline.worker());

    const std::string directory = temporary_directory("prometheus");
    for (const std::string& url : {source, target}) {
        eventually("it knows the stream", [&] { return Scrape(url).value("pgsluice_stream_bytes").has_value(); });
        write(directory + "/metrics", Scrape(url).text());
        must_succeed(run({"sh", "-c", "promtool check metrics < " + directory + "/metrics"}));
    }
    std::string config = contents(examples + "prometheus.yaml");
    config = replaced(config, "127.0.0.1:9187", host_of(source));
    config = replaced(config, "127.0.0.1:9188", host_of(target));
    config = replaced(config, "scrape_interval: 15s", "scrape_interval: 1s");
    write(directory + "/prometheus.yaml", config);
    std::filesystem::copy(examples + "alerts.yaml", directory + "/alerts.yaml");
    const std::string server = "127.0.0.1:" + std::to_string(free_port());
    Process prometheus({{"prometheus", "--config.file=" + directory + "/prometheus.yaml",
                         "--storage.tsdb.path=" + directory + "/data", "--web.listen-address=" + server}});
    const auto query = [&](const std::string& expression) {
        return http_get("http://" + server, "/api/v1/query?query=" + expression).body;
    };
    for (const std::string& url : {source, target}) {
        const auto up = "up{instance=\"" + host_of(url) + "\"}==1";
        eventually("it scrapes " + url, [&] { return contains(query(up), "\"metric\":{"); });
        const Scrape scrape(url);
        for (const std::string& name : scrape.names()) {
            const bool histogram = find_metric(name)->kind == MetricKind::histogram;
            const std::string series = name + (histogram ? "_count" : "") + "{instance=\"" + host_of(url) + "\"}";
            eventually("it has " + series, [&] { return contains(query(series), "\"metric\":{"); });
        }
    }
    pipeline.stop();
}
