// What nats-server's monitoring says at /varz. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice {

struct ServerFigures {
    std::string version;
    double now = 0;  // seconds since 1970, by its clock
    bool jetstream = false;
    std::int64_t max_storage = 0;  // bytes that JetStream may store in files
    std::int64_t storage = 0;
    std::int64_t reserved_storage = 0;  // for streams with a limit
    // Versions that say so: how often files are synced, and whether after each message instead.
    std::optional<std::int64_t> sync_interval_ns;
    bool sync_always = false;
};

// A stop Error when it is not that.
ServerFigures parse_server_figures(std::string_view json);

}  // namespace pgsluice
