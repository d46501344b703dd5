#include "rules/transforms/generic/dated.h"

#include "rules/place.h"
#include "rules/transforms/transform.h"
#include "rules/values/calendar.h"
#include "rules/values/moment.h"

namespace pgsluice::rules {
namespace {

constexpr std::string_view before_christ = " BC";

}  // namespace

bool is_infinite(std::string_view text) { return text == "infinity" || text == "-infinity"; }

Dated Dated::parse(std::string_view text, ValueType type) {
    Moment::parse(text, type == ValueType::timestamptz);
    std::string whole;
    const bool before = text.ends_with(before_christ);
    if (before) text.remove_suffix(before_christ.size());
    const std::string_view date = text.substr(0, text.find_first_of(" T"));
    if (!before) return {Moment::parse(date, false).day, text.substr(date.size())};
    whole.append(date).append(before_christ);
    return {Moment::parse(whole, false).day, text.substr(date.size())};
}

void Dated::append_to(std::string& out, ValueType type) const {
    const std::int64_t years = type == ValueType::date ? 5'874'897 : 294'276;  // the manual's table of date types
    if (day < days_from_civil({-4713, 11, 24}) || day > days_from_civil({years, 12, 31}))
        throw Unreadable{"the result is not a date that the server takes"};
    append_date(out, day);
    out += time;
    if (civil_from_days(day).year <= 0) out += before_christ;
}

std::string takes_dates(const Column& column, ValueType type) {
    const bool fits = type == ValueType::date || type == ValueType::timestamp || type == ValueType::timestamptz;
    return fits ? std::string{} : takes("dates and timestamps", column);
}

}  // namespace pgsluice::rules
