#include "rules/transforms/quoted.h"

#include "rules/place.h"

namespace pgsluice::rules {

void take_quoted(std::string_view& rest, std::string& text) {
    text.clear();
    std::size_t at = 1;
    for (; at < rest.size() && rest[at] != '"'; ++at) {
        if (rest[at] == '\\') ++at;
        if (at < rest.size()) text += rest[at];
    }
    if (at >= rest.size()) throw Unreadable{"a quote in it has no end"};
    rest.remove_prefix(at + 1);
}

}  // namespace pgsluice::rules
