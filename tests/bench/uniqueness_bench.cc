// Whether the transforms that promise it keep different values different: millions of them, each kind by itself.
//
// usage: uniqueness_bench [values]        (default 10000000; run a release build; 8 bytes of memory for each)
// Prints a table in Markdown, and exits with 1 where two values became the same. Results are compared by 64 bits of
// HMAC-SHA-256: of 10 million different ones two are alike by chance once in 370,000 runs.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "rules/file/node.h"
#include "rules/transforms/hmac.h"
#include "tests/support/transform_values.h"

using namespace pgsluice;

namespace {

constexpr std::size_t values_per_batch = 1000;

std::unique_ptr<rules::Transform> make(const rules::TransformKind& kind, const rules::TransformExample& example) {
    const rules::Node parameters = rules::read_yaml(fmt::format("{{{}}}", example.parameters), "bench");
    rules::Fields fields(parameters, {}, "parameters");
    return kind.make(fields, {"PGSLUICE_BENCH_SECRET", "", ""});
}

std::uint64_t first_bits(const rules::Hmac::Digest& digest) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, digest.data(), sizeof bits);
    return bits;
}

std::size_t collisions(const rules::Transform& transform, const rules::TransformExample& example, std::size_t count) {
    const rules::Hmac hash("uniqueness");
    std::vector<std::uint64_t> seen;
    seen.reserve(count);
    Arena arena;
    for (std::size_t i = 0; i < count; ++i) {
        if (i % values_per_batch == 0) arena.clear();
        const std::string value = test::nth_value(example, i);
        seen.push_back(first_bits(hash.digest(transform.apply(value, example.type, arena).text())));
    }
    std::sort(seen.begin(), seen.end());
    const auto end = std::unique(seen.begin(), seen.end());
    return static_cast<std::size_t>(seen.end() - end);
}

bool check(const rules::TransformKind& kind, const rules::TransformExample& example, std::size_t count) {
    const auto transform = make(kind, example);
    if (!transform->keeps_distinct(example.type)) return true;
    const std::size_t alike = collisions(*transform, example, count);
    const std::string parameters =
        example.parameters.empty() ? std::string{} : fmt::format(" ({})", example.parameters);
    std::printf("| `%s`%s | %zu | %zu |\n", std::string(kind.name).c_str(), parameters.c_str(), count, alike);
    std::fflush(stdout);
    return alike == 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
    setenv("PGSLUICE_BENCH_SECRET", "example-secret", 1);
    bool unique = true;
    std::printf("| transform | values | alike |\n| --- | --- | --- |\n");
    for (const rules::TransformKind& kind : rules::transform_kinds()) {
        for (const rules::TransformExample& example : kind.examples)
            if (!example.to.empty() && !check(kind, example, count)) unique = false;
        // Its example is shorter than what is unique.
        if (kind.name == "hash" && !check(kind, {"length: 32", rules::ValueType::text, "x", {}}, count)) unique = false;
    }
    return unique ? 0 : 1;
}
