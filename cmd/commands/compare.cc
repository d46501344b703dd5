#include "cmd/commands/compare.h"

#include <cstdio>

#include "cmd/commands/group_tables.h"
#include "sql/error.h"
#include "stream/broker.h"
#include "worker/compare/compare.h"

namespace pgsluice {

CompareOptions compare_options_of(const Settings& settings) {
    CompareOptions options = settings.compare;
    options.names = settings.replicator.names;
    options.worker = settings.worker.worker;
    options.source = settings.replicator.source;
    options.target = settings.postgres.target;
    options.rules = settings.worker.rules;
    options.unmarked = settings.postgres.unmarked;
    return options;
}

void run_compare(Settings settings, const Log& log, std::stop_token stop) {
    const CompareOptions options = compare_options_of(settings);
    const CompareReport report = [&] {
        try {
            const auto broker = Broker::connect(settings.nats, log, stop);
            return compare(options, published_of_group(settings, settings.replicator, *broker, stop), *broker, log,
                           stop);
        } catch (const Interrupted&) {  // exit code 0 would say that all is equal
            throw stop_error("unable to compare: interrupted before the end", "Run it again.");
        }
    }();
    const std::string text = options.json ? to_json(report, options.show_values) : to_text(report, options.show_values);
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (report.equal() || report.repaired()) return;
    throw stop_error("source and target are not equal", "The rows are listed above; --repair writes them again.");
}

}  // namespace pgsluice
