#include "rules/values/uuid.h"

#include "rules/place.h"

namespace pgsluice::rules {

Uuid Uuid::parse(std::string_view text) {
    Uuid uuid;
    std::size_t count = 0;
    for (const char c : text) {
        if (c == '-' || c == '{' || c == '}') continue;
        const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
        const bool hex = (lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f');
        if (!hex || count == uuid.digits.size()) throw Unreadable{"it is not a uuid"};
        uuid.digits[count++] = lower;
    }
    if (count != uuid.digits.size()) throw Unreadable{"it is not a uuid"};
    return uuid;
}

}  // namespace pgsluice::rules
