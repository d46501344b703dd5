// Any run of messages with any headers is put together, or refused with an Error; headers that were read are written as
// the same. The input is a run of messages: lines `name: value` up to an empty line, then a byte of length and as many
// bytes of body.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "sql/error.h"
#include "stream/format/body_check.h"
#include "stream/format/headers.h"
#include "stream/format/markers.h"
#include "stream/format/part_assembly.h"
#include "tests/fuzz/seeds.h"

using namespace pgsluice;

namespace {

using HeaderMap = std::map<std::string, std::string>;

std::string_view cut(std::string_view& text, std::size_t bytes) {
    const auto piece = text.substr(0, bytes);
    text.remove_prefix(piece.size());
    return piece;
}

std::string_view cut_line(std::string_view& input) {
    const auto line = cut(input, std::min(input.find('\n'), input.size()));
    cut(input, 1);
    return line;
}

HeaderMap cut_headers(std::string_view& input) {
    HeaderMap headers;
    while (true) {
        const auto line = cut_line(input);
        const auto colon = line.find(": ");
        if (colon == std::string_view::npos) return headers;
        headers.emplace(line.substr(0, colon), line.substr(colon + 2));
    }
}

ParsedHeaders parse(const HeaderMap& headers) {
    const auto find = [&](const char* name) {
        const auto found = headers.find(name);
        return found == headers.end() ? nullptr : found->second.c_str();
    };
    return parse_headers(find, "a message");
}

void check_written_again(const ParsedHeaders& parsed) {
    HeaderMap headers;
    for (const auto& [name, value] :
         message_headers(parsed.meta, &parsed.copy, parsed.part, parsed.follows, parsed.encoding))
        headers.emplace(name, value);
    if (parsed.run != 0) headers.emplace(run_header, run_text(parsed.run));
    const ParsedHeaders again = parse(headers);
    const bool same = again.meta == parsed.meta && again.copy == parsed.copy && again.follows == parsed.follows &&
                      again.run == parsed.run && again.encoding == parsed.encoding &&
                      (again.part == parsed.part || parsed.part.count == 1);
    if (!same) std::abort();
}

void read_message(PartAssembly& parts, StreamSeq seq, std::string_view& input) {
    const ParsedHeaders parsed = parse(cut_headers(input));
    check_written_again(parsed);
    const std::string_view length = cut(input, 1);
    const auto body = std::make_shared<std::string>(
        cut(input, length.empty() ? 0 : static_cast<std::size_t>(static_cast<unsigned char>(length[0]))));
    if (const auto message = parts.take(seq, parsed, *body, body))
        static_cast<void>(body_fault(message->meta, message->copy, message->body));
}

std::string as_input(const HeaderList& headers, const std::string& body) {
    std::string text;
    for (const auto& [name, value] : headers) text += std::string(name) + ": " + value + "\n";
    return text + "\n" + static_cast<char>(body.size()) + body;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    const CopyHeader copy{1, 0, 1, 2, 0, 16};
    const std::string progress = encode(Progress{Lsn{9}, 5});
    const auto meta = [](MessageKind kind) { return MessageMeta{kind, {Lsn{9}, 1}, Lsn{9}, false}; };
    HeaderList first = message_headers(meta(MessageKind::changes), nullptr, {}, StreamSeq{7});
    first.emplace_back(run_header, run_text(0xab));
    const auto part = [&](std::uint32_t number) {
        return message_headers(meta(MessageKind::progress), nullptr, {number, 2});
    };
    fuzz::add_seeds(
        argc, argv,
        {as_input(message_headers(meta(MessageKind::copy), &copy, {}), "1\n2\n"),
         as_input(message_headers({MessageKind::copy, {Lsn{9}, 0}, Lsn{9}, true}, &copy, {}, StreamSeq{4}), "1\n2\n"),
         as_input(message_headers(meta(MessageKind::changes), nullptr, {}), "[]"), as_input(first, "[]"),
         as_input(message_headers(meta(MessageKind::changes), nullptr, {}, {}, BodyEncoding::zstd), "[]"),
         as_input(part(1), progress.substr(0, 9)) + as_input(part(2), progress.substr(9))});
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    PartAssembly parts;
    for (std::uint64_t seq = 1; !input.empty(); ++seq) {
        try {
            read_message(parts, {seq}, input);
        } catch (const Error& error) {
            if (error.action() != Action::stop) std::abort();
        }
    }
    return 0;
}
