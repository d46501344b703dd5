#include "rules/rows/sampling.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "rules/transforms/secret.h"
#include "rules/values/decimal.h"

namespace pgsluice::rules {
namespace {

constexpr int most_decimals = 6;
constexpr auto all_hashes = static_cast<unsigned __int128>(1) << 64;

Sampling::Share percent_share(const std::string& text, const Place& place) {
    const auto wrong = [&] {
        return refuse(place, fmt::format("'percent' is '{}', and not a number above 0 and up to 100", text),
                      "Write it with up to 6 decimals, as in 0.5.");
    };
    try {
        const Decimal percent = Decimal::parse(text);
        if (percent.scale > most_decimals || percent.digits <= 0 || percent.digits > 100 * power_of_ten(percent.scale))
            throw wrong();
        const auto whole = static_cast<unsigned __int128>(100 * power_of_ten(percent.scale));
        return {all_hashes * static_cast<unsigned __int128>(percent.digits) / whole, fmt::format("{} percent", text)};
    } catch (const Unreadable&) {
        throw wrong();
    }
}

std::uint64_t row_count(const std::string& text, std::string_view key, const Place& place) {
    std::uint64_t count = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc{} || stop != end || count == 0)
        throw refuse(place, fmt::format("'{}' is '{}', and not a number of rows", key, text),
                     "Write a whole number above 0.");
    return count;
}

// So many rows of a table that has `of`. The number is the file's, and not counted: a share that moves with the table
// would be another sample after each start.
Sampling::Share limit_share(const std::string& limit, const std::optional<std::string>& of, const Place& place) {
    const std::uint64_t most = row_count(limit, "limit", place);
    if (!of)
        throw refuse(
            place, "'limit' needs 'of', for how many rows a table has changes with each of them",
            fmt::format("Write limit: {} and of: N, where N is what SELECT count(*) says of the table now.", most));
    const std::uint64_t rows = std::max(row_count(*of, "of", place), most);
    return {all_hashes / rows * most + all_hashes % rows * most / rows, fmt::format("about {} of {} rows", most, *of)};
}

Sampling::Share read_share(Fields& parameters) {
    const auto percent = parameters.text("percent");
    const auto one_in = parameters.number("one_in", 1);
    const auto limit = parameters.text("limit");
    const auto of = parameters.text("of");
    if (percent.has_value() + one_in.has_value() + limit.has_value() != 1 || (of && !limit))
        throw refuse(parameters.place(), "none of 'percent', 'one_in' and 'limit' is there, or more than one",
                     "Set percent: 5, or one_in: 20, or limit: 1000 and of: 20000.");
    if (limit) return limit_share(*limit, of, parameters.place());
    if (percent) return percent_share(*percent, parameters.place());
    return {all_hashes / static_cast<unsigned>(*one_in), fmt::format("1 in {}", *one_in)};
}

// numeric 1.50 and 1.5 are equal.
std::string_view one_text(std::string_view text, ValueType type) {
    if (type != ValueType::number || text.find('.') == std::string_view::npos) return text;
    text = text.substr(0, text.find_last_not_of('0') + 1);
    return text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
}

bool is_float(const Column& column) { return column.base_oid == 700 || column.base_oid == 701; }
bool ignores_case(const Column& column) { return column.type_name.ends_with("citext"); }

}  // namespace

std::shared_ptr<const Sampling> Sampling::read(Fields& parameters, const TransformDefaults& defaults) {
    Share share = read_share(parameters);
    std::string secret = read_secret(parameters, defaults);
    auto sampling = std::make_shared<const Sampling>(secret, std::move(share));
    cleanse(secret);
    return sampling;
}

Sampling::Sampling(std::string_view secret, Share share)
    : hmac_(derived_key("sample", secret)),
      share_(std::move(share)),
      meaning_(fmt::format("{:016x}{:016x} {}", static_cast<std::uint64_t>(share_.limit >> 64),
                           static_cast<std::uint64_t>(share_.limit), hmac_.proof())) {}

std::string Sampling::unfit(const Column& column) {
    const ValueType type = value_type(column);
    const bool fits = (type == ValueType::number && !is_float(column)) || (is_text(type) && !ignores_case(column)) ||
                      type == ValueType::uuid || type == ValueType::date || type == ValueType::bytea;
    return fits ? "" : takes("integers, numeric, text, uuid, date or bytea", column);
}

bool Sampling::same_texts(const Column& one, const Column& other) { return value_type(one) == value_type(other); }

bool Sampling::keeps(std::string_view text, ValueType type) const {
    const Hmac::Digest digest = hmac_.digest(one_text(text, type));
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < sizeof hash; ++i) hash = hash << 8 | digest[i];
    return hash < share_.limit;
}

std::string Sampling::describe() const { return fmt::format("a sample of {}", share_.text); }

}  // namespace pgsluice::rules
