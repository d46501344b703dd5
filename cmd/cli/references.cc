#include "cmd/cli/references.h"

#include <fmt/format.h>

#include "cmd/cli/value.h"

namespace pgsluice {

namespace {

constexpr std::string_view open = "${";
constexpr std::string_view file_prefix = "file:";

std::string value_of(std::string_view name, const Environment& environment) {
    if (name.starts_with(file_prefix)) return read_secret_file(name.substr(file_prefix.size()));
    const auto found = environment.find(std::string(name));
    if (found == environment.end() || found->second.empty())
        throw BadValue(fmt::format("the environment variable '{}' is not set", name));
    return found->second;
}

}  // namespace

std::string expand_references(std::string_view text, const Environment& environment) {
    std::string out;
    while (true) {
        const std::size_t at = text.find(open);
        if (at == std::string_view::npos) return out.append(text);
        if (at > 0 && text[at - 1] == '$') {
            out.append(text.substr(0, at - 1)).append(open);
            text.remove_prefix(at + open.size());
            continue;
        }
        out.append(text.substr(0, at));
        const std::size_t end = text.find('}', at);
        if (end == std::string_view::npos) throw BadValue("'${' without its '}'; write '$${' for the characters");
        out += value_of(text.substr(at + open.size(), end - at - open.size()), environment);
        text.remove_prefix(end + 1);
    }
}

bool has_references(std::string_view text) {
    for (std::size_t at = text.find(open); at != std::string_view::npos; at = text.find(open, at + 1))
        if (at == 0 || text[at - 1] != '$') return true;
    return false;
}

}  // namespace pgsluice
