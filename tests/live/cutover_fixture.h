// `pgsluice cutover` as a process, on a pipeline's databases.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/live/compare_fixture.h"
#include "tests/support/text.h"

namespace pgsluice::test {

inline std::vector<std::string> cutover_argv(const Pipeline& pipeline,
                                             const std::vector<std::string>& more = {"--yes"}) {
    std::vector<std::string> argv = compare_argv(pipeline, more);
    argv[1] = "cutover";
    // The source of a pipeline that leads back is the other server.
    *(std::ranges::find(argv, "--source-url") + 1) = pipeline.source_url();
    *(std::ranges::find(argv, "--target-url") + 1) = pipeline.target_url();
    return argv;
}

inline Finished cut_over(const Pipeline& pipeline, const std::vector<std::string>& more = {"--yes"}) {
    return run(cutover_argv(pipeline, more), {}, std::chrono::seconds(120));
}

// It says about once a second what it does, so a while after the target has all.
inline void await_streaming_worker(const Pipeline& pipeline) {
    eventually("the worker says that it is streaming", [&] {
        const std::string err = cut_over(pipeline, {}).err;
        return !contains(err, "is not streaming") && !contains(err, "in the middle of a snapshot");
    });
}

}  // namespace pgsluice::test
