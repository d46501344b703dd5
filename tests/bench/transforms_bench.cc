// What each transform costs: the examples of their table (rules/transforms/transform_table.cc), one value at a time.
//
// usage: transforms_bench [values]        (default 200000; run a release build)
// Prints a table in Markdown: nanoseconds of CPU time for each value, the median of five rounds.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "rules/file/node.h"
#include "rules/transforms/transform_table.h"

using namespace pgsluice;

namespace {

constexpr std::size_t values_per_batch = 1000;  // the arena is cleared so often, as the worker does

// CPU seconds of this thread, so that a busy machine does not count.
double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::unique_ptr<rules::Transform> make(const rules::TransformKind& kind, const rules::TransformExample& example) {
    const rules::Node parameters = rules::read_yaml(fmt::format("{{{}}}", example.parameters), "bench");
    rules::Fields fields(parameters, {}, "parameters");
    return kind.make(fields, {"PGSLUICE_BENCH_SECRET", "", ""});
}

double nanoseconds(const rules::Transform& transform, const rules::TransformExample& example, std::size_t count) {
    Arena arena;
    std::size_t bytes = 0;
    const double start = cpu_seconds();
    for (std::size_t i = 0; i < count; ++i) {
        if (i % values_per_batch == 0) arena.clear();
        bytes += transform.apply(example.from, example.type, arena).text().size();
    }
    const double took = cpu_seconds() - start;
    if (bytes == 0) std::abort();
    return took * 1e9 / static_cast<double>(count);
}

double median(const rules::Transform& transform, const rules::TransformExample& example, std::size_t count) {
    std::array<double, 5> rounds{};
    for (double& round : rounds) round = nanoseconds(transform, example, count);
    std::sort(rounds.begin(), rounds.end());
    return rounds[rounds.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200'000;
    setenv("PGSLUICE_BENCH_SECRET", "example-secret", 1);
    std::printf("| transform | ns |\n| --- | --- |\n");
    for (const rules::TransformKind& kind : rules::transform_kinds()) {
        for (const rules::TransformExample& example : kind.examples) {
            if (example.to.empty()) continue;
            const auto transform = make(kind, example);
            Column column;
            column.base_oid = example.type == rules::ValueType::number ? 1700 : 25;
            const auto fitted = transform->for_column(column, example.type);
            const std::string parameters =
                example.parameters.empty() ? std::string{} : fmt::format(" ({})", example.parameters);
            std::printf("| %s%s | %.0f |\n", std::string(kind.name).c_str(), parameters.c_str(),
                        median(fitted != nullptr ? *fitted : *transform, example, count));
        }
    }
    return 0;
}
