#include "stream/share/share.h"

#include <fmt/format.h>

#include <charconv>

namespace pgsluice {

namespace {

constexpr std::string_view table_suffix = "-table";

// All of `text`, without sign or leading zero.
std::optional<std::uint32_t> parse_number(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || text.front() == '0') return std::nullopt;
    return number;
}

std::optional<Share> parse(std::string_view text, std::string_view between) {
    const std::size_t at = text.find(between);
    if (at == std::string_view::npos) return std::nullopt;
    const auto number = parse_number(text.substr(0, at));
    const auto count = parse_number(text.substr(at + between.size()));
    if (!number || !count || *number > *count || *count > most_shares) return std::nullopt;
    return Share{*number, *count, ShareBy::key};
}

}  // namespace

ShareHash& ShareHash::add(std::string_view text) noexcept {
    constexpr std::uint64_t prime = 0x100000001b3;
    for (const char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * prime;
    hash_ *= prime;  // the zero byte
    return *this;
}

std::uint64_t ShareHash::value() const noexcept {
    std::uint64_t hash = hash_;
    hash = (hash ^ (hash >> 33U)) * 0xff51afd7ed558ccd;
    hash = (hash ^ (hash >> 33U)) * 0xc4ceb9fe1a85ec53;
    return hash ^ (hash >> 33U);
}

bool Share::has(const RowHash& row) const noexcept {
    return share_of(by == ShareBy::key ? row.key : row.table, count) == number;
}

std::uint32_t share_of(std::uint64_t hash, std::uint32_t count) {
    return static_cast<std::uint32_t>(((hash >> 32U) * count) >> 32U) + 1;
}

std::optional<Share> parse_share(std::string_view text) { return parse(text, "/"); }

std::string to_string(const Share& share) { return fmt::format("{}/{}", share.number, share.count); }

// [(number - 1) / count, number / count) of each.
bool overlap(const Share& a, const Share& b) {
    if (a.is_all() || b.is_all() || a.by != b.by) return true;
    const auto begins_before_end_of = [](const Share& one, const Share& other) {
        return std::uint64_t{one.number - 1} * other.count < std::uint64_t{other.number} * one.count;
    };
    return begins_before_end_of(a, b) && begins_before_end_of(b, a);
}

std::uint64_t first_hash(std::uint32_t number, std::uint32_t count) {
    const std::uint64_t upper = ((std::uint64_t{number - 1} << 32U) + count - 1) / count;
    return upper >> 32U != 0 ? UINT64_MAX : upper << 32U;
}

std::string share_worker(const std::string& base, const Share& share) {
    if (share.is_all()) return base;
    return fmt::format("{}-{}of{}{}", base, share.number, share.count,
                       share.by == ShareBy::table ? table_suffix : std::string_view());
}

ShareWorker parse_share_worker(std::string_view name) {
    const bool by_table = name.ends_with(table_suffix);
    const std::string_view rest = by_table ? name.substr(0, name.size() - table_suffix.size()) : name;
    const std::size_t dash = rest.rfind('-');
    const auto share = dash == std::string_view::npos ? std::nullopt : parse(rest.substr(dash + 1), "of");
    if (!share || share->is_all()) return {std::string(name), {}};
    return {std::string(rest.substr(0, dash)), {share->number, share->count, by_table ? ShareBy::table : ShareBy::key}};
}

}  // namespace pgsluice
