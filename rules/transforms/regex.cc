#include "rules/transforms/regex.h"

#include <fmt/format.h>

namespace pgsluice::rules {

std::unique_ptr<re2::RE2> compile_regex(const std::string& pattern, const Place& place) {
    re2::RE2::Options options;
    options.set_log_errors(false);  // RE2 would write to stderr itself
    auto compiled = std::make_unique<re2::RE2>(pattern, options);
    if (!compiled->ok())
        throw refuse(place, fmt::format("bad pattern: {}", compiled->error()), "Patterns are RE2 syntax.");
    return compiled;
}

}  // namespace pgsluice::rules
