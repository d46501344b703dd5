#include "stream/format/headers.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "sql/error.h"
#include "stream/base/random_number.h"

namespace pgsluice {

namespace {

constexpr const char* kind_header = "Pgsluice-Kind";
// In place of it where the body has an encoding: a build that knows no encodings takes such a message for another
// program's, and so never its body for what it is not.
constexpr const char* encoded_kind_header = "Pgsluice-Encoded-Kind";
constexpr const char* encoding_header = "Pgsluice-Encoding";
constexpr std::string_view zstd_encoding = "zstd";
constexpr const char* position_header = "Pgsluice-Position";
constexpr const char* safe_flush_lsn_header = "Pgsluice-Confirmable";
constexpr const char* scope_header = "Pgsluice-Scope";
constexpr std::string_view added_scope = "added";
constexpr const char* part_header = "Pgsluice-Part";
constexpr const char* epoch_header = "Pgsluice-Epoch";
constexpr const char* table_header = "Pgsluice-Table";
constexpr const char* first_row_header = "Pgsluice-First-Row";
constexpr const char* rows_header = "Pgsluice-Rows";
constexpr const char* pages_header = "Pgsluice-Pages";
constexpr const char* follows_header = "Pgsluice-Follows";
constexpr const char* fence_header = "Nats-Expected-Last-Sequence";

constexpr std::array<std::pair<MessageKind, std::string_view>, 6> kinds{{
    {MessageKind::group, "group"},
    {MessageKind::snapshot_begin, "snapshot-begin"},
    {MessageKind::copy, "copy"},
    {MessageKind::snapshot_end, "snapshot-end"},
    {MessageKind::changes, "changes"},
    {MessageKind::progress, "progress"},
}};

template <typename T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || text.empty() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

class Headers {
   public:
    Headers(const std::function<const char*(const char*)>& find, std::string_view where) : find_(find), where_(where) {}

    [[nodiscard]] std::string_view required(const char* name) const {
        const char* text = find_(name);
        if (text == nullptr) throw bad(name, "missing");
        return text;
    }
    [[nodiscard]] std::string_view text_if_any(const char* name) const {
        const char* text = find_(name);
        return text == nullptr ? std::string_view() : std::string_view(text);
    }
    template <typename T>
    [[nodiscard]] T number(const char* name) const {
        const auto value = parse_number<T>(required(name));
        if (!value) throw bad(name, "malformed");
        return *value;
    }
    [[nodiscard]] std::optional<StreamSeq> sequence(const char* name) const {
        if (find_(name) == nullptr) return std::nullopt;
        return StreamSeq{number<std::uint64_t>(name)};
    }
    [[nodiscard]] Error bad(const char* name, std::string_view reason) const {
        return stop_error(fmt::format("unable to read {}: header '{}' is {}", where_, name, reason));
    }

   private:
    const std::function<const char*(const char*)>& find_;
    std::string_view where_;
};

BodyEncoding parse_encoding(const Headers& headers) {
    const auto text = headers.text_if_any(encoding_header);
    if (text.empty()) return BodyEncoding::none;
    if (text == zstd_encoding) return BodyEncoding::zstd;
    throw headers.bad(encoding_header, "of a kind this version does not know");
}

MessageKind parse_kind(const Headers& headers, BodyEncoding encoding) {
    const bool encoded = encoding != BodyEncoding::none;
    const char* header = encoded ? encoded_kind_header : kind_header;
    const auto text = headers.required(header);
    for (const auto& [kind, name] : kinds) {
        if (name != text) continue;
        if (encoded && !may_be_encoded(kind)) throw headers.bad(header, "of a kind that is never encoded");
        return kind;
    }
    throw headers.bad(header, "of a kind this version does not know");
}

MessagePart parse_part(const Headers& headers) {
    const auto text = headers.text_if_any(part_header);
    if (text.empty()) return {};
    const auto slash = text.find('/');
    const auto number = parse_number<std::uint32_t>(text.substr(0, slash));
    const auto count =
        slash == std::string_view::npos ? std::nullopt : parse_number<std::uint32_t>(text.substr(slash + 1));
    if (!number || !count || *number == 0 || *number > *count) throw headers.bad(part_header, "malformed");
    return {*number, *count};
}

RunId parse_run(const Headers& headers) {
    const auto text = headers.text_if_any(run_header);
    if (text.empty()) return 0;
    const auto run = parse_number<RunId>(text, 16);
    if (!run || *run == 0 || text.size() != run_digits) throw headers.bad(run_header, "malformed");
    return *run;
}

CopyHeader parse_copy(const Headers& headers) {
    CopyHeader copy;
    copy.epoch = headers.number<std::uint64_t>(epoch_header);
    copy.table = headers.number<std::uint32_t>(table_header);
    copy.first_row = headers.number<std::uint64_t>(first_row_header);
    copy.rows = headers.number<std::uint64_t>(rows_header);
    const auto pages = headers.required(pages_header);
    const auto dash = pages.find('-');
    const auto first = parse_number<std::uint64_t>(pages.substr(0, dash));
    const auto end = dash == std::string_view::npos ? std::string_view("-") : pages.substr(dash + 1);
    const auto end_page = end.empty() ? std::optional<std::uint64_t>(0) : parse_number<std::uint64_t>(end);
    if (!first || !end_page) throw headers.bad(pages_header, "malformed");
    copy.first_page = *first;
    copy.end_page = *end_page;
    return copy;
}

}  // namespace

std::string_view to_string(MessageKind kind) {
    for (const auto& [known, name] : kinds) {
        if (known == kind) return name;
    }
    return "unknown";
}

RunId new_run() {
    const RunId run = random_number();
    return run == 0 ? 1 : run;  // 0 says that there is none
}

std::string run_text(RunId run) { return fmt::format("{:0{}x}", run, run_digits); }

HeaderList message_headers(const MessageMeta& meta, const CopyHeader* copy, MessagePart part,
                           std::optional<StreamSeq> follows, BodyEncoding encoding) {
    const bool encoded = encoding != BodyEncoding::none;
    HeaderList list{{encoded ? encoded_kind_header : kind_header, std::string(to_string(meta.kind))},
                    {position_header, to_string(meta.position)},
                    {safe_flush_lsn_header, to_string(meta.safe_flush_lsn)}};
    if (encoded) list.emplace_back(encoding_header, zstd_encoding);
    if (meta.added) list.emplace_back(scope_header, added_scope);
    if (follows) list.emplace_back(follows_header, fmt::format("{}", follows->value));
    if (part.count > 1) list.emplace_back(part_header, fmt::format("{}/{}", part.number, part.count));
    if (meta.kind == MessageKind::copy && copy != nullptr) {
        list.emplace_back(epoch_header, fmt::format("{}", copy->epoch));
        list.emplace_back(table_header, fmt::format("{}", copy->table));
        list.emplace_back(first_row_header, fmt::format("{}", copy->first_row));
        list.emplace_back(rows_header, fmt::format("{}", copy->rows));
        list.emplace_back(pages_header, copy->end_page == 0 ? fmt::format("{}-", copy->first_page)
                                                            : fmt::format("{}-{}", copy->first_page, copy->end_page));
    }
    return list;
}

ParsedHeaders parse_headers(const std::function<const char*(const char* name)>& find, std::string_view where) {
    const Headers headers(find, where);
    ParsedHeaders parsed;
    parsed.encoding = parse_encoding(headers);
    parsed.meta.kind = parse_kind(headers, parsed.encoding);
    const auto position = parse_position(headers.required(position_header));
    if (!position) throw headers.bad(position_header, "malformed");
    parsed.meta.position = *position;
    const auto safe_flush_lsn = parse_lsn(headers.required(safe_flush_lsn_header));
    if (!safe_flush_lsn) throw headers.bad(safe_flush_lsn_header, "malformed");
    parsed.meta.safe_flush_lsn = *safe_flush_lsn;
    const auto scope = headers.text_if_any(scope_header);
    if (!scope.empty() && scope != added_scope) throw headers.bad(scope_header, "of a kind this version does not know");
    parsed.meta.added = !scope.empty();
    parsed.part = parse_part(headers);
    parsed.follows = headers.sequence(follows_header);
    parsed.fence = headers.sequence(fence_header);
    parsed.run = parse_run(headers);
    if (parsed.meta.kind == MessageKind::copy) parsed.copy = parse_copy(headers);
    return parsed;
}

}  // namespace pgsluice
