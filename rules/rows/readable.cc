#include "rules/rows/readable.h"

#include <fmt/format.h>

#include "stream/base/padding.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {

void stop(const Place& place, std::string_view reason, std::string hint) {
    throw stop_error(fmt::format("unable to apply {}: {}", place.text(), reason), std::move(hint));
}

std::string_view readable(const Value& value, ValueType type, bool reads_text, const Place& place) {
    std::string_view text = value.text();
    if (type == ValueType::padded_text) text = without_padding(text);
    if (reads_text && !is_utf8(text))
        stop(place, "the rule reads text, but the value is not valid UTF-8",
             "Exclude the column. Or correct the row in the source and start the group over: remove it with pgsluice "
             "teardown --yes and start it again with --copy-and-stream.");
    return text;
}

}  // namespace pgsluice::rules
