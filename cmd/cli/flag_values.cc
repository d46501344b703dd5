#include "cmd/cli/flag_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <stdexcept>

#include "cmd/cli/value.h"
#include "stream/table_pattern.h"

namespace pgsluice::flag_values {

int small(std::string_view v, int min, int max) { return static_cast<int>(parse_integer(v, min, max)); }

int milliseconds(std::string_view v) {
    const std::int64_t ms = parse_duration_ms(v);
    if (ms < 1 || ms > 86'400'000) throw BadValue("expected a duration from 1ms to 24h");
    return static_cast<int>(ms);
}

int milliseconds_or_0(std::string_view v) { return parse_duration_ms(v) == 0 ? 0 : milliseconds(v); }

int heartbeat_interval(std::string_view v) {
    const int ms = milliseconds_or_0(v);
    if (ms != 0 && ms < 1000) throw BadValue("expected 0, or at least 1s");
    return ms;
}

std::optional<double> seconds_or_never(std::string_view v) {
    const std::int64_t ms = parse_duration_ms(v);
    return ms == 0 ? std::nullopt : std::optional(static_cast<double>(ms) / 1000);
}

double percent(std::string_view v) {
    double value = 0;
    const auto [end, error] = std::from_chars(v.begin(), v.end(), value, std::chars_format::fixed);
    if (error != std::errc{} || end != v.end() || value > 100 || (value != 0 && value < 0.01))
        throw BadValue("expected 0, or a percentage from 0.01 to 100");
    return value;
}

std::string port(std::string_view v) {
    for (std::string_view rest = v;; rest.remove_prefix(rest.find(',') + 1)) {
        parse_integer(rest.substr(0, rest.find(',')), 1, 65535);
        if (rest.find(',') == std::string_view::npos) return std::string(v);
    }
}

std::string present(std::string_view v) {
    if (v.empty()) throw BadValue("expected a value");
    return std::string(v);
}

std::string inbox_prefix(std::string_view v) {
    const bool empty_part = v.empty() || v.front() == '.' || v.back() == '.' || v.find("..") != std::string_view::npos;
    if (empty_part || v.find_first_of("*> \t\r\n") != std::string_view::npos)
        throw BadValue("expected a subject such as _INBOX_shop");
    return std::string(v);
}

std::string js_domain(std::string_view v) {
    if (v.empty() || v.find_first_of(".*> \t\r\n") != std::string_view::npos)
        throw BadValue("expected a name such as hub");
    return std::string(v);
}

ListenAddress http_listen(std::string_view v) {
    try {
        return parse_listen_address(v);
    } catch (const std::invalid_argument& error) {
        throw BadValue(error.what());
    }
}

std::string http_token(std::string_view file) {
    constexpr std::size_t least = 16;
    std::string token = read_secret_file(file);
    if (token.size() < least || std::ranges::any_of(token, [](char c) { return c <= ' ' || c > '~'; }))
        throw BadValue(
            "expected a file with one token of at least 16 letters, digits and signs, as openssl rand -hex 32 prints "
            "it");
    return token;
}

std::string http_header(std::string_view v) {
    const std::size_t colon = v.find(':');
    if (colon == std::string_view::npos || colon == 0 || v.find_first_of("\r\n") != std::string_view::npos)
        throw BadValue("expected 'Name: value'");
    return std::string(v);
}

void set_format(Settings& s, std::string_view v) {
    s.standard_output.format = s.file.format = s.webhook.format = s.nats_sink.format =
        parse_choice<LineFormat>(v, {{"pg_flo", LineFormat::pg_flo}, {"debezium", LineFormat::debezium}});
}

void set_on_error(Settings& s, std::string_view v) {
    s.postgres.on_error = s.webhook.on_error =
        parse_choice<OnError>(v, {{"stop", OnError::stop}, {"dead-letter", OnError::dead_letter}});
}

void set_on_conflict(Settings& s, std::string_view v) {
    const auto equals = v.rfind('=');
    const auto what = parse_choice<OnConflict>(
        equals == std::string_view::npos ? v : v.substr(equals + 1),
        {{"upsert", OnConflict::upsert}, {"ignore", OnConflict::ignore}, {"error", OnConflict::error}});
    if (equals == std::string_view::npos)
        s.postgres.on_conflict.otherwise = what;
    else
        s.postgres.on_conflict.tables.emplace_back(parse_table_pattern(v.substr(0, equals), "public"), what);
}

void add_ddl_objects(Settings& s, std::string_view v) {
    constexpr std::pair<std::string_view, std::string_view> classes[] = {{"views", "view"},
                                                                         {"functions", "function"},
                                                                         {"triggers", "trigger"},
                                                                         {"policies", "policy"},
                                                                         {"grants", "grants"}};
    for (const auto& [name, one] : classes)
        if (v == name) return static_cast<void>(s.replicator.ddl_objects.emplace(one));
    throw BadValue("expected views, functions, triggers, policies or grants");
}

void set_stream_compression(Settings& s, std::string_view v) {
    constexpr std::string_view zstd = "zstd";
    constexpr int usual_level = 1;
    const bool with_level = v.starts_with("zstd:");
    if (v != "none" && v != zstd && !with_level) throw BadValue("expected none, zstd, or zstd:LEVEL such as zstd:9");
    const std::string_view level = with_level ? v.substr(zstd.size() + 1) : std::string_view();
    s.replicator.stream_zstd_level = with_level ? small(level, 1, 19) : (v == zstd ? usual_level : 0);
}

void set_recopy_limit(Settings& s, std::string_view v) {
    constexpr std::string_view unit = "rows";
    s.replicator.ddl_recopy_rows = s.replicator.ddl_recopy_bytes = 0;
    if (v.ends_with(unit)) {
        v.remove_suffix(unit.size());
        s.replicator.ddl_recopy_rows =
            static_cast<std::uint64_t>(parse_integer(v, 1, std::numeric_limits<std::int64_t>::max()));
    } else {
        s.replicator.ddl_recopy_bytes = static_cast<std::uint64_t>(parse_bytes(v));
    }
}

Share share(std::string_view v, ShareBy by) {
    auto parsed = parse_share(v);
    if (!parsed)
        throw BadValue(fmt::format("expected K/N such as 2/4, with K from 1 to N and N at most {}", most_shares));
    parsed->by = by;
    return *parsed;
}

Lsn lsn(std::string_view v) {
    const auto parsed = parse_lsn(v);
    if (!parsed) throw BadValue("expected an LSN such as 0/16B2D50");
    return *parsed;
}

}  // namespace pgsluice::flag_values
