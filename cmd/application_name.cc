#include "cmd/application_name.h"

#include <fmt/format.h>

#include <string>

namespace pgsluice {

namespace {

constexpr std::size_t longest = 63;

std::string application_name(const Settings& settings, std::string_view words) {
    const bool works = words.starts_with("worker ");
    std::string name = fmt::format("pgsluice {}", works ? "worker" : words);
    if (!settings.group.empty()) name += ' ' + settings.worker.names.group;
    if (works) name += ' ' + settings.worker.worker;
    return name.substr(0, longest);
}

}  // namespace

void set_application_name(Settings& settings, std::string_view command_words) {
    const std::string name = application_name(settings, command_words);
    for (sql::ConnectOptions* options :
         {&settings.replicator.source, &settings.postgres.target, &settings.postgres.source})
        options->settings.emplace_back("fallback_application_name", name);
}

}  // namespace pgsluice
