#include "sinks/file/state_record.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace pgsluice {

namespace {

constexpr std::string_view title_line = "pgsluice-state 1";

std::uint64_t checksum(std::string_view text) {
    std::uint64_t sum = 0xcbf29ce484222325;
    for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return sum;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string take(std::map<std::string, std::string>& fields, const std::string& name) {
    const auto node = fields.extract(name);
    return node.empty() ? std::string() : node.mapped();
}

}  // namespace

std::uint64_t StateRecord::number(const std::string& name) const { return parse_number(text(name)).value_or(0); }

std::string StateRecord::text(const std::string& name) const {
    const auto found = more.find(name);
    return found == more.end() ? std::string() : found->second;
}

void check_share(const std::string& kept, const std::string& own, const std::string& path, const std::string& hint) {
    if (kept == own) return;
    const auto text = [](const std::string& share) { return share.empty() ? "all rows" : "share " + share; };
    throw stop_error(fmt::format("unable to use '{}' for {}: it is of {}", path, text(own), text(kept)), hint);
}

std::string to_text(const StateRecord& record) {
    const SinkState& state = record.state;
    std::string out = fmt::format("{} group={} resume_seq={} position={} loading_epoch={} begin_seq={}", title_line,
                                  record.group, state.checkpoint.resume_seq.value, to_string(state.checkpoint.position),
                                  state.loading_epoch, state.begin_seq.value);
    for (const auto& [name, value] : record.more) fmt::format_to(std::back_inserter(out), " {}={}", name, value);
    fmt::format_to(std::back_inserter(out), " sum={:016x}\n", checksum(out));
    return out;
}

std::optional<StateRecord> parse_state(std::string_view text) {
    const std::size_t end = text.find(" sum=");
    if (!text.starts_with(title_line) || end == std::string_view::npos) return std::nullopt;
    const std::string_view body = text.substr(0, end);
    if (!text.substr(end).starts_with(fmt::format(" sum={:016x}\n", checksum(body)))) return std::nullopt;

    std::map<std::string, std::string> fields;
    for (std::size_t at = title_line.size(); at < body.size();) {
        const std::size_t stop = std::min(body.find(' ', at + 1), body.size());
        const std::string_view field = body.substr(at + 1, stop - at - 1);
        const std::size_t equals = field.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        fields.emplace(field.substr(0, equals), field.substr(equals + 1));
        at = stop;
    }
    StateRecord record;
    record.group = take(fields, "group");
    const auto resume = parse_number(take(fields, "resume_seq"));
    const auto position = parse_position(take(fields, "position"));
    const auto epoch = parse_number(take(fields, "loading_epoch"));
    const auto begin = parse_number(take(fields, "begin_seq"));
    if (!resume || !position || !epoch || !begin) return std::nullopt;
    record.state = {{StreamSeq{*resume}, *position}, *epoch, StreamSeq{*begin}};
    record.more = std::move(fields);
    return record;
}

}  // namespace pgsluice
