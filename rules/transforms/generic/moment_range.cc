// date, time, timestamp: one from `from` to `to`, all as likely; times in whole seconds.
#include <fmt/format.h>

#include <iterator>

#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"
#include "rules/values/calendar.h"
#include "rules/values/moment.h"

namespace pgsluice::rules {
namespace {

constexpr std::int64_t seconds_per_day = 86400;
constexpr std::int64_t us_per_second = 1'000'000;

enum class Grain { day, second_of_day, second };

void append_time(std::string& out, std::int64_t seconds) {
    fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

class MomentRange : public Recipe {
   public:
    MomentRange(std::string_view name, Grain unit, std::int64_t least, std::int64_t most, std::string describe)
        : name_(name), unit_(unit), least_(least), most_(most), describe_(std::move(describe)) {}

    std::string unfit(const Column& column, ValueType type) const override {
        const bool fits = unit_ == Grain::day      ? type == ValueType::date
                          : unit_ == Grain::second ? type == ValueType::timestamp || type == ValueType::timestamptz
                                                   : type == ValueType::time || type == ValueType::timetz;
        return fits ? std::string{} : takes(fmt::format("{}s", name_), column);
    }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& form, std::string& out) const override {
        const std::int64_t drawn = draw.between(least_, most_);
        if (unit_ == Grain::day) return append_date(out, drawn);
        if (unit_ == Grain::second) {
            const std::int64_t day = (drawn - (drawn < 0 ? seconds_per_day - 1 : 0)) / seconds_per_day;
            append_date(out, day);
            out += ' ';
            append_time(out, drawn - day * seconds_per_day);
        } else {
            append_time(out, drawn);
        }
        if (form.type == ValueType::timestamptz || form.type == ValueType::timetz) out += "+00";
    }
    std::string describe() const override { return describe_; }

   private:
    std::string_view name_;
    Grain unit_;
    std::int64_t least_;
    std::int64_t most_;
    std::string describe_;
};

// In the unit's steps from 2000-01-01 00:00 UTC, or from midnight.
std::int64_t read_moment(const std::string& text, Grain unit) {
    if (unit == Grain::second_of_day) return TimeOfDay::parse(text, false).us / us_per_second;
    const Moment moment = Moment::parse(text, unit == Grain::second);
    if (moment.day < days_from_civil({1, 1, 1}) || moment.day > days_from_civil({9999, 12, 31}))
        throw Unreadable{"its year is not between 1 and 9999"};
    if (unit == Grain::day && moment.us != 0) throw Unreadable{"it is not a date"};
    return unit == Grain::day ? moment.day : moment.day * seconds_per_day + moment.us / us_per_second;
}

std::unique_ptr<Transform> make_range(std::string_view name, Grain unit, Fields& parameters,
                                      const TransformDefaults& defaults) {
    const std::string from = parameters.required_text("from");
    const std::string to = parameters.required_text("to");
    std::int64_t least = 0;
    std::int64_t most = 0;
    try {
        least = read_moment(from, unit);
        most = read_moment(to, unit);
    } catch (const Unreadable& unreadable) {
        throw refuse(parameters.place(), fmt::format("of 'from' and 'to': {}", unreadable.reason));
    }
    if (unit == Grain::second_of_day && most == seconds_per_day) --most;
    if (least > most) throw refuse(parameters.place(), "'from' is after 'to'");
    auto recipe =
        std::make_unique<MomentRange>(name, unit, least, most, fmt::format("{} from {} to {}", name, from, to));
    return make_keyed(name, std::move(recipe), parameters, defaults);
}

}  // namespace

std::unique_ptr<Transform> make_date(Fields& parameters, const TransformDefaults& defaults) {
    return make_range("date", Grain::day, parameters, defaults);
}
std::unique_ptr<Transform> make_time(Fields& parameters, const TransformDefaults& defaults) {
    return make_range("time", Grain::second_of_day, parameters, defaults);
}
std::unique_ptr<Transform> make_timestamp(Fields& parameters, const TransformDefaults& defaults) {
    return make_range("timestamp", Grain::second, parameters, defaults);
}

}  // namespace pgsluice::rules
