#include "sinks/file/line_file_name.h"

#include <fmt/format.h>

#include <charconv>

#include "sinks/lines/rfc3339.h"

namespace pgsluice {

namespace {

constexpr std::string_view plain_suffix = ".jsonl";
constexpr std::string_view zstd_suffix = ".jsonl.zst";
constexpr std::string_view part_suffix = ".part";
constexpr std::string_view snapshot_infix = ".snapshot-";
// D a digit, X a hexadecimal one, the others themselves; any number of further digits follows.
constexpr std::string_view stem_pattern = "DDDDDDDDTDDDDDD.DDDDDDZ-XXXXXXXXXXXXXXXX-D";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_stem(std::string_view text) {
    if (text.size() < stem_pattern.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char wanted = i < stem_pattern.size() ? stem_pattern[i] : 'D';
        const bool hex = is_digit(text[i]) || (text[i] >= 'A' && text[i] <= 'F');
        const bool fits = wanted == 'D' ? is_digit(text[i]) : wanted == 'X' ? hex : text[i] == wanted;
        if (!fits) return false;
    }
    return true;
}

bool is_finished(std::string_view name) {
    for (const std::string_view ending : {zstd_suffix, plain_suffix}) {
        if (name.ends_with(ending)) return is_stem(name.substr(0, name.size() - ending.size()));
    }
    return false;
}

}  // namespace

std::string line_file_name(std::int64_t unix_us, Position first, bool zstd) {
    return fmt::format("{}-{:016X}-{}{}", compact_time(unix_us), first.commit.value, first.ordinal,
                       zstd ? zstd_suffix : plain_suffix);
}

bool is_zstd_name(std::string_view name) { return name.find(zstd_suffix) != std::string_view::npos; }

LineFileName parse_line_file_name(std::string_view name) {
    using Kind = LineFileName::Kind;
    if (is_finished(name)) return {Kind::finished, std::string(name), 0};
    if (name.ends_with(part_suffix)) {
        const std::string_view rest = name.substr(0, name.size() - part_suffix.size());
        if (is_finished(rest)) return {Kind::part, std::string(rest), 0};
    }
    const std::size_t suffix = name.find(snapshot_infix);
    if (suffix != std::string_view::npos && is_finished(name.substr(0, suffix))) {
        const std::string_view digits = name.substr(suffix + snapshot_infix.size());
        std::uint64_t epoch = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), epoch);
        if (error == std::errc() && end == digits.data() + digits.size()) {
            return {Kind::snapshot, std::string(name.substr(0, suffix)), epoch};
        }
    }
    return {};
}

}  // namespace pgsluice
