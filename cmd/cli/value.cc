#include "cmd/cli/value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>

#include "stream/process/text_file.h"

namespace pgsluice {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

constexpr std::array time_units{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000},
                                Unit{"d", 86'400'000}};
constexpr std::array size_units{Unit{"", 1},           Unit{"b", 1},           Unit{"k", 1LL << 10},
                                Unit{"kb", 1LL << 10}, Unit{"kib", 1LL << 10}, Unit{"m", 1LL << 20},
                                Unit{"mb", 1LL << 20}, Unit{"mib", 1LL << 20}, Unit{"g", 1LL << 30},
                                Unit{"gb", 1LL << 30}, Unit{"gib", 1LL << 30}, Unit{"t", 1LL << 40},
                                Unit{"tb", 1LL << 40}, Unit{"tib", 1LL << 40}};

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
    return text;
}

// Cuts digits and the letters after them off the front; nothing when the text does not begin so.
template <typename Units>
std::optional<std::int64_t> take_quantity(std::string_view& text, const Units& units) {
    std::int64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [after, failure] = std::from_chars(text.data(), end, count);
    if (failure != std::errc() || count < 0) return std::nullopt;
    const char* const unit_end = std::find_if_not(after, end, [](unsigned char c) { return std::isalpha(c); });
    const std::string unit_name = lower({after, unit_end});
    text.remove_prefix(static_cast<std::size_t>(unit_end - text.data()));
    for (const Unit& unit : units) {
        if (unit.name != unit_name) continue;
        if (count > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
        return count * unit.factor;
    }
    return std::nullopt;
}

}  // namespace

bool parse_boolean(std::string_view text) {
    const std::string word = lower(text);
    for (const char* yes : {"true", "yes", "on", "1", "t"}) {
        if (word == yes) return true;
    }
    for (const char* no : {"false", "no", "off", "0", "f"}) {
        if (word == no) return false;
    }
    throw BadValue("expected true or false");
}

std::int64_t parse_integer(std::string_view text, std::int64_t min, std::int64_t max) {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [after, failure] = std::from_chars(text.data(), end, value);
    if (failure != std::errc() || after != end || value < min || value > max) {
        throw BadValue(fmt::format("expected a whole number from {} to {}", min, max));
    }
    return value;
}

std::int64_t parse_duration_ms(std::string_view text) {
    constexpr auto expected = "expected a duration such as 500ms, 8s, 5m, 1h or 1h30m";
    if (text == "0") return 0;
    if (text.empty()) throw BadValue(expected);
    std::int64_t total = 0;
    while (!text.empty()) {
        const auto part = take_quantity(text, time_units);
        if (!part || __builtin_add_overflow(total, *part, &total)) throw BadValue(expected);
    }
    return total;
}

std::int64_t parse_bytes(std::string_view text) {
    const auto bytes = take_quantity(text, size_units);
    if (!bytes || !text.empty()) throw BadValue("expected a size such as 65536, 64MB or 1GiB");
    return *bytes;
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> items;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] == '"') quoted = !quoted;
        if (i < text.size() && (quoted || text[i] != ',')) continue;
        items.emplace_back(trim(text.substr(begin, i - begin)));
        begin = i + 1;
    }
    if (quoted) throw BadValue("a double quote is not closed");
    if (std::find(items.begin(), items.end(), "") != items.end()) throw BadValue("expected a list without empty items");
    return items;
}

std::string read_secret_file(std::string_view path) {
    auto contents = read_text_file(std::string(path));
    if (!contents) throw BadValue(fmt::format("unable to read the file '{}'", path));
    std::string text = std::move(*contents);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (text.empty()) throw BadValue(fmt::format("the file '{}' is empty", path));
    return text;
}

BadChoice::BadChoice(std::vector<std::string_view> words)
    : BadValue(fmt::format("expected {}", fmt::join(words, " or "))), names(std::move(words)) {}

void detail::refuse_choice(std::vector<std::string_view> names) { throw BadChoice(std::move(names)); }

}  // namespace pgsluice
