#include "cmd/reload.h"

#include <fmt/format.h>

#include <utility>

#include "sql/error.h"

namespace pgsluice {

namespace {

void refuse(const Log& log, const std::string& what, const Error& error) {
    log(LogLevel::error, fmt::format("SIGHUP: {}: {}", what, in_one_line(error)));
}

}  // namespace

Reload::Part::Part(Reload& reload, std::string name, Take take) : reload_(reload), name_(std::move(name)) {
    const std::lock_guard lock(reload_.mutex_);
    reload_.parts_[name_] = std::move(take);
}

Reload::Part::~Part() {
    const std::lock_guard lock(reload_.mutex_);
    reload_.parts_.erase(name_);
}

void Reload::operator()() {
    const std::lock_guard lock(mutex_);
    try {
        const auto settings = read_();
        for (const auto& [name, take] : parts_) give(name, take, settings);
        for (const auto& [name, one] : settings)
            if (!parts_.contains(name))
                log_(LogLevel::warning,
                     fmt::format("SIGHUP: {} does not run, and starts when the process is restarted", name));
    } catch (const Error& error) {
        refuse(log_, "nothing changes, because the settings are invalid", error);
    }
}

void Reload::give(const std::string& name, const Take& take, const std::map<std::string, Settings>& settings) const {
    const auto found = settings.find(name);
    if (found == settings.end())
        return log_(LogLevel::warning,
                    fmt::format("SIGHUP: {} is no longer in the configuration file, and continues until the process is "
                                "restarted",
                                name));
    take(found->second);
}

}  // namespace pgsluice
