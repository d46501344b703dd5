#include "rules/values/json_path.h"

#include <fmt/format.h>

#include <bit>

namespace pgsluice::rules {

class JsonPaths::Parser {
   public:
    Parser(std::string_view text, const Place& place) : text_(text), rest_(text), place_(place) {}

    void begin() {
        if (!skip('$')) fail();
    }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }

    Step step() {
        Step step;
        if (skip('[')) return bracket(step);
        if (!skip('.')) fail();
        step.descend = skip('.');
        if (step.descend && skip('[')) return bracket(step);
        if (skip('*')) {
            step.kind = Step::Kind::any;
            return step;
        }
        step.kind = Step::Kind::member;
        if (rest_.starts_with('"')) {
            step.name = quoted();
            return step;
        }
        step.name = bare_name();
        return step;
    }

   private:
    [[noreturn]] void fail() const {
        throw refuse(place_, fmt::format("'{}' is not a path", text_),
                     "Paths look like $.address.street or $.items[*].name; a name with other characters than letters, "
                     "digits, _ and $ is written in double quotes: $.\"zip code\".");
    }
    static bool in_name(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
               (static_cast<unsigned char>(c) & 0x80) != 0;
    }
    std::string bare_name() {
        std::size_t length = 0;
        while (length < rest_.size() && in_name(rest_[length])) ++length;
        const bool ends = length == rest_.size() || rest_[length] == '.' || rest_[length] == '[';
        if (length == 0 || !ends) fail();
        return take(length);
    }
    bool skip(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string take(std::size_t bytes) {
        std::string part(rest_.substr(0, bytes));
        rest_.remove_prefix(bytes);
        return part;
    }
    // 'name' or "name"; a backslash takes the next character as it is.
    std::string quoted() {
        const char quote = rest_[0];
        rest_.remove_prefix(1);
        std::string name;
        while (!rest_.empty() && rest_[0] != quote) {
            if (skip('\\') && rest_.empty()) break;
            name += take(1);
        }
        if (!skip(quote)) fail();
        return name;
    }
    Step bracket(Step step) {
        if (skip('*')) {
            step.kind = Step::Kind::any;
            step.takes_single = true;
        } else if (rest_.starts_with('\'') || rest_.starts_with('"')) {
            step.kind = Step::Kind::member;
            step.name = quoted();
        } else {
            step.kind = Step::Kind::element;
            const std::string digits = take(std::min(rest_.find(']'), rest_.size()));
            if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string::npos)
                fail();
            step.index = std::stoul(digits);
            step.takes_single = step.index == 0;
        }
        if (!skip(']')) fail();
        return step;
    }

    std::string_view text_;
    std::string_view rest_;
    const Place& place_;
};

void JsonPaths::push(Step step, const Place& place) {
    constexpr std::size_t max_steps = 64;
    if (steps_.size() == max_steps)
        throw refuse(place, "the paths have more than 64 steps together", "Write a second rule.");
    steps_.push_back(std::move(step));
}

void JsonPaths::add(std::string_view path, const Place& place) {
    Parser parser(path, place);
    parser.begin();
    const std::size_t first = steps_.size();
    while (!parser.at_end()) push(parser.step(), place);
    push({}, place);
    start_ |= States{1} << first;
    ends_ |= States{1} << (steps_.size() - 1);
}

template <typename Matches>
JsonPaths::States JsonPaths::advance(States states, const Matches& matches) const {
    States next = 0;
    for (States left = states; left != 0; left &= left - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(left));
        const Step& step = step_at(left);
        if (step.descend) next |= States{1} << i;
        if (matches(step)) next |= States{1} << (i + 1);
    }
    return next;
}

JsonPaths::States JsonPaths::member(States states, std::string_view name) const {
    return advance(states, [name](const Step& step) {
        const bool any = step.kind == Step::Kind::any && !step.takes_single;  // .*, not [*]
        return any || (step.kind == Step::Kind::member && step.name == name);
    });
}

JsonPaths::States JsonPaths::element(States states, std::size_t index) const {
    return advance(states, [index](const Step& step) {
        return step.kind == Step::Kind::any || (step.kind == Step::Kind::element && step.index == index);
    });
}

JsonPaths::States JsonPaths::members(States states) const {
    States found = 0;
    for (States left = states; left != 0; left &= left - 1)
        if (step_at(left).kind == Step::Kind::member) found |= left & (~left + 1);
    return found;
}

JsonPaths::States JsonPaths::no_array(States states) const {
    const auto takes = [](const Step& step) { return step.takes_single; };
    for (States more = advance(states, takes); (more & ~states) != 0; more = advance(states, takes)) states |= more;
    return states;
}

}  // namespace pgsluice::rules
