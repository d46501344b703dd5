#include "stream/base/failpoint.h"

#ifdef PGSLUICE_FAILPOINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

namespace pgsluice {

namespace {

struct Armed {
    std::string name;
    long hits = 1;
};

Armed read_environment() {
    const char* text = std::getenv("PGSLUICE_FAILPOINT");
    if (text == nullptr) return {};
    const std::string_view spec = text;
    const auto colon = spec.find(':');
    if (colon == std::string_view::npos) return {std::string(spec), 1};
    return {std::string(spec.substr(0, colon)), std::strtol(text + colon + 1, nullptr, 10)};
}

}  // namespace

void reach_failpoint(const char* name) noexcept {
    static const Armed armed = read_environment();
    static std::atomic<long> reached{0};
    if (armed.name == name && ++reached == armed.hits) ::raise(SIGKILL);
}

}  // namespace pgsluice

#endif
