#include "stream/health/server_figures.h"

#include <charconv>
#include <chrono>

#include "stream/format/json_fields.h"

namespace pgsluice {

namespace {

int digits(std::string_view text, std::size_t from, std::size_t count) {
    int value = 0;
    if (text.size() >= from + count) std::from_chars(text.data() + from, text.data() + from + count, value);
    return value;
}

// "2026-11-26T14:20:33.123456789Z"
double seconds_of(std::string_view text) {
    using namespace std::chrono;
    const sys_days day = year(digits(text, 0, 4)) / digits(text, 5, 2) / digits(text, 8, 2);
    const auto whole = day.time_since_epoch() + hours(digits(text, 11, 2)) + minutes(digits(text, 14, 2)) +
                       seconds(digits(text, 17, 2));
    const int tenths = text.size() > 20 && text[19] == '.' ? digits(text, 20, 1) : 0;
    return static_cast<double>(duration_cast<seconds>(whole).count()) + tenths / 10.0;
}

std::int64_t number(const JsonFields& fields, std::string_view name) {
    return fields.has(name) ? fields.signed_number(name) : 0;
}

void read_jetstream(const JsonFields& jetstream, ServerFigures& figures) {
    if (!jetstream.has("config") || !jetstream.has("stats")) return;
    figures.jetstream = true;
    const JsonFields config = jetstream.object("config");
    const JsonFields stats = jetstream.object("stats");
    figures.max_storage = number(config, "max_storage");
    figures.storage = number(stats, "storage");
    figures.reserved_storage = number(stats, "reserved_storage");
    if (config.has("sync_interval")) figures.sync_interval_ns = config.signed_number("sync_interval");
    figures.sync_always = config.has("sync_always") && config.boolean("sync_always");
}

}  // namespace

ServerFigures parse_server_figures(std::string_view json) {
    return with_json_fields(json, "nats-server's /varz", [](const JsonFields& fields) {
        ServerFigures figures;
        figures.version = fields.text("version");
        figures.now = seconds_of(fields.text("now"));
        if (fields.has("jetstream")) read_jetstream(fields.object("jetstream"), figures);
        return figures;
    });
}

}  // namespace pgsluice
