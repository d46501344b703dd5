#include "tests/support/transform_values.h"

#include <fmt/format.h>

namespace pgsluice::test {

namespace {

// Within what the example's own transform applies to: "{Keller,...}" becomes "{Keller7,...}".
std::string within(std::string text, const std::string& number) {
    const std::string name = "Keller";
    return text.insert(text.find(name) + name.size(), number);
}

// The first ones differ, too, when only months or years count.
std::string date(std::uint64_t number) {
    return fmt::format("{:04}-{:02}-{:02}", 1000 + number * 7 % 8000, 1 + number / 8000 % 12, 1 + number / 96000 % 28);
}

}  // namespace

std::string nth_value(const rules::TransformExample& example, std::uint64_t number) {
    const std::string text = std::to_string(number);
    switch (example.type) {
        case rules::ValueType::number:
            return text;
        case rules::ValueType::boolean:
            return number % 2 == 0 ? "t" : "f";
        case rules::ValueType::date:
            return date(number);
        case rules::ValueType::timestamp:
            return fmt::format("{} 12:30:00.{:06}", date(number), number % 1000000);
        case rules::ValueType::timestamptz:
            return fmt::format("{} 12:30:00.{:06}+00", date(number), number % 1000000);
        case rules::ValueType::time:
            return fmt::format("{:02}:{:02}:{:02}", number / 3600 % 24, number / 60 % 60, number % 60);
        case rules::ValueType::uuid:
            return fmt::format("{:08x}-8f0c-4a51-9a3e-5d2f6c7b8a90", number);
        case rules::ValueType::json:
        case rules::ValueType::array:
        case rules::ValueType::other:
            return within(std::string(example.from), text);
        default:
            return std::string(example.from) + text;
    }
}

}  // namespace pgsluice::test
