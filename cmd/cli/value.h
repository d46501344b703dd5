// From the text of a setting to its value. Anything that is not exactly a value is refused.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgsluice {

// What a setting expects; the caller adds which setting it is and where it was given. Never holds the value itself.
struct BadValue : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// One of a few words; completion shows them.
struct BadChoice : BadValue {
    explicit BadChoice(std::vector<std::string_view> words);

    std::vector<std::string_view> names;  // literals
};

// true, yes, on, 1 and their opposites, in any case.
bool parse_boolean(std::string_view text);
std::int64_t parse_integer(std::string_view text, std::int64_t min, std::int64_t max);
// "500ms", "8s", "5m", "1h", "2d", also composed as "1h30m"; "0". In milliseconds.
std::int64_t parse_duration_ms(std::string_view text);
// "64MB" and "64MiB" are both 64 * 2^20, as PostgreSQL reads its sizes; B, table_b, MB, GB, TB; without a unit bytes.
std::int64_t parse_bytes(std::string_view text);
// Splits at commas outside double quotes and trims blanks; empty items are refused.
std::vector<std::string> split_list(std::string_view text);
// A small file's contents without trailing line breaks.
std::string read_secret_file(std::string_view path);

namespace detail {
[[noreturn]] void refuse_choice(std::vector<std::string_view> names);
}

template <typename T>
T parse_choice(std::string_view text, std::initializer_list<std::pair<std::string_view, T>> choices) {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : choices) {
        if (name == text) return value;
        names.push_back(name);
    }
    detail::refuse_choice(std::move(names));
}

}  // namespace pgsluice
