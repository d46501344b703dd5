#include "stream/origin.h"

#include <fmt/format.h>

#include <charconv>

namespace pgsluice {

namespace {

constexpr std::string_view prefix = "pgsluice/";

// Up to the next slash, which is taken, too; nothing when there is none.
std::optional<std::string_view> take_word(std::string_view& text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto word = text.substr(0, slash);
    text.remove_prefix(slash + 1);
    return word;
}

std::optional<Oid> parse_oid(std::string_view digits) {
    Oid oid = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), oid);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return oid;
}

}  // namespace

std::string database_id(std::string_view system_identifier, std::string_view dbname) {
    if (system_identifier.empty()) return "";
    return fmt::format("{}/{}", system_identifier, dbname);
}

std::string to_string(const OriginName& name) {
    return fmt::format("{}{}/{}/{}/{}/{}", prefix, name.group, name.worker, name.database, name.part, name.source);
}

std::optional<OriginName> parse_origin_name(std::string_view text) {
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    const auto group = take_word(text);
    const auto worker = take_word(text);
    const auto oid = take_word(text);
    const auto part = take_word(text);
    if (!part) return std::nullopt;
    const auto database = parse_oid(*oid);
    if (!database) return std::nullopt;
    return OriginName{std::string(*group), std::string(*worker), *database, std::string(*part), std::string(text)};
}

}  // namespace pgsluice
