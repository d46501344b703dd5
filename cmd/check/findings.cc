#include "cmd/check/findings.h"

#include <algorithm>

#include "sql/error.h"

namespace pgsluice {

bool Findings::attempt(const std::function<void(const Log&)>& step) {
    const Log log = [this](LogLevel level, std::string_view text) {
        if (level == LogLevel::info) ok(std::string(text));
        if (level == LogLevel::warning || level == LogLevel::error) warn(std::string(text));
    };
    try {
        step(log);
        return true;
    } catch (const Error& error) {
        fail(error.what(), error.hint());
        return false;
    }
}

void Findings::add(CheckLevel level, const std::string& text, const std::string& way_out) {
    CheckFinding finding{level, part_, text, way_out};
    if (std::ranges::find(all_, finding) == all_.end()) all_.push_back(std::move(finding));
}

}  // namespace pgsluice
