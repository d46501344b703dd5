// truncate_date: the first day of the year, quarter, month or week, or a timestamp's day, at midnight.
#include <fmt/format.h>

#include <iterator>

#include "rules/transforms/generic/dated.h"
#include "rules/transforms/transforms.h"
#include "rules/values/calendar.h"

namespace pgsluice::rules {
namespace {

enum class Unit { year, quarter, month, week, day };

struct UnitName {
    std::string_view name;
    Unit unit;
};
constexpr UnitName unit_names[] = {
    {"year", Unit::year}, {"quarter", Unit::quarter}, {"month", Unit::month}, {"week", Unit::week}, {"day", Unit::day}};

std::int64_t first_day(std::int64_t day, Unit unit) {
    constexpr std::int64_t weekday_of_epoch = 5;  // 2000-01-01, a Saturday, counted from Monday
    if (unit == Unit::day) return day;
    if (unit == Unit::week) return day - ((day + weekday_of_epoch) % 7 + 7) % 7;
    CivilDay civil = civil_from_days(day);
    civil.day = 1;
    if (unit == Unit::year) civil.month = 1;
    if (unit == Unit::quarter) civil.month -= (civil.month - 1) % 3;
    return days_from_civil(civil);
}

class TruncateDate : public Transform {
   public:
    explicit TruncateDate(const UnitName& unit) : unit_(unit) {}

    std::string unfit(const Column& column, ValueType type) const override {
        if (unit_.unit == Unit::day && type == ValueType::date) return "a date is a day already";
        return takes_dates(column, type);
    }
    bool reads_text() const override { return false; }

    Value apply(std::string_view text, ValueType type, Arena& arena) const override {
        if (is_infinite(text)) return Value(text);
        Dated dated = Dated::parse(text, type);
        thread_local std::string midnight;
        midnight.clear();
        if (!dated.time.empty()) {
            // The zone's sign comes after the clock.
            const auto zone = dated.time.find_first_of("+-Z");
            midnight = " 00:00:00";
            if (zone != std::string_view::npos) midnight.append(dated.time.substr(zone));
        }
        dated.day = first_day(dated.day, unit_.unit);
        dated.time = midnight;
        thread_local std::string out;
        out.clear();
        dated.append_to(out, type);
        return Value(arena.copy(out));
    }
    std::string describe() const override { return fmt::format("truncate to the {}", unit_.name); }

   private:
    UnitName unit_;
};

}  // namespace

std::unique_ptr<Transform> make_truncate_date(Fields& parameters, const TransformDefaults& /*defaults*/) {
    const std::string to = parameters.text("to").value_or("month");
    for (const UnitName& unit : unit_names)
        if (unit.name == to) return std::make_unique<TruncateDate>(unit);
    throw refuse(parameters.place(), fmt::format("unknown unit '{}'", to),
                 "Known units: year, quarter, month, week, day.");
}

}  // namespace pgsluice::rules
