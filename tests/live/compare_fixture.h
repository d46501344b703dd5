// `pgsluice compare` as a process, on a pipeline's databases.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/pipeline.h"

namespace pgsluice::test {

inline std::vector<std::string> compare_argv(const Pipeline& pipeline, const std::vector<std::string>& more = {}) {
    const PipelineServers servers = shared_servers();
    std::vector<std::string> argv{PGSLUICE_BINARY, "compare",
                                  "--group",       pipeline.group(),
                                  "--nats-url",    servers.nats.url(0),
                                  "--source-url",  servers.source.url(pipeline.source_db()),
                                  "--target-url",  servers.target.url(pipeline.target_db())};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
}

inline Finished run_compare(const Pipeline& pipeline, const std::vector<std::string>& more = {}) {
    return run(compare_argv(pipeline, more), {}, std::chrono::seconds(120));
}

// The report without its last line, which has an LSN and a time in it, and without the table that settle() uses.
inline std::string tables_of(const std::string& report) {
    std::string kept;
    std::size_t at = 0;
    while (at < report.size()) {
        const std::size_t end = report.find('\n', at) + 1;
        const std::string line = report.substr(at, end - at);
        at = end;
        if (line.find("public.settled:") != 0 && line.find("compared at ") != 0) kept += line;
    }
    return kept;
}

}  // namespace pgsluice::test
