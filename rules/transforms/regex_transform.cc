// regex: replaces every match. RE2 syntax; $1, ${1}, ${name} and \1 name groups, $$ is a dollar and \\ a
// backslash. Leftmost matches from left to right; an empty match right after another match does not count.
//
// RE2 finds one match in linear time, but the next one may have to look at the same rest of the value again: `a.*b|a`
// on a row of a's is quadratic. So a value may cost only so much CPU time, and is refused beyond.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <map>
#include <vector>

#include "rules/transforms/regex.h"
#include "rules/transforms/transforms.h"
#include "rules/values/utf8.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

struct Piece {
    std::string text;  // literal, when group is -1
    int group = -1;
};

// Splits a replacement into literals and groups.
class Replacement {
   public:
    Replacement(std::string_view text, const re2::RE2& pattern, const Place& place) : pattern_(pattern), place_(place) {
        while (!text.empty()) take(text);
        flush();
    }
    std::vector<Piece> pieces;

   private:
    static bool digit(char c) { return c >= '0' && c <= '9'; }

    void flush() {
        if (!literal_.empty()) pieces.push_back({std::move(literal_), -1});
        literal_.clear();
    }

    void take(std::string_view& text) {
        const char sign = text[0];
        if ((sign != '$' && sign != '\\') || text.size() == 1) return literal(text, 1, text[0]);
        if (text[1] == sign) return literal(text, 2, sign);
        if (digit(text[1])) return group(text, 2, std::string(1, text[1]));
        if (sign == '$' && text[1] == '{') {
            const auto end = text.find('}');
            if (end == std::string_view::npos) throw refuse(place_, "'replace' has '${' without '}'");
            return group(text, end + 1, std::string(text.substr(2, end - 2)));
        }
        literal(text, 1, sign);
    }

    void literal(std::string_view& text, std::size_t bytes, char value) {
        literal_ += value;
        text.remove_prefix(bytes);
    }

    void group(std::string_view& text, std::size_t bytes, const std::string& name) {
        flush();
        pieces.push_back({{}, number_of(name)});
        text.remove_prefix(bytes);
    }

    int number_of(const std::string& name) const {
        const auto& named = pattern_.NamedCapturingGroups();
        if (const auto found = named.find(name); found != named.end()) return found->second;
        int number = name.empty() || name.size() > 3 ? -1 : 0;
        for (const char c : name) number = number < 0 || !digit(c) ? -1 : number * 10 + (c - '0');
        if (number < 0 || number > pattern_.NumberOfCapturingGroups())
            throw refuse(place_, fmt::format("'replace' names group '{}', which 'pattern' does not have", name));
        return number;
    }

    const re2::RE2& pattern_;
    const Place& place_;
    std::string literal_;
};

// Measured on the thread's own clock, so that a busy machine does not count.
class CpuBudget {
   public:
    explicit CpuBudget(std::size_t value_bytes)
        : limit_s_(3.0 + 2.0 * static_cast<double>(value_bytes) / (1024.0 * 1024.0)) {}

    // To be called after each match. Ordinary values never get as far as the clock.
    void spend() {
        if (++matches_ % matches_per_look != 0) return;
        const double now = seconds();
        if (start_s_ < 0) start_s_ = now;
        if (now - start_s_ > limit_s_)
            throw Unreadable{
                fmt::format("replacing every match of the pattern took more than {:.0f} s of CPU time on "
                            "one value; a pattern like 'a.*b|a' searches the rest again at every match",
                            limit_s_)};
    }

   private:
    static constexpr std::uint32_t matches_per_look = 64;

    static double seconds() {
        timespec now{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
    }

    double limit_s_;
    double start_s_ = -1;
    std::uint32_t matches_ = 0;
};

class RegexTransform : public Transform {
   public:
    RegexTransform(std::unique_ptr<re2::RE2> pattern, std::vector<Piece> pieces)
        : pattern_(std::move(pattern)), pieces_(std::move(pieces)) {
        for (const Piece& piece : pieces_) groups_ = std::max(groups_, piece.group + 1);
    }

    std::string unfit(const Column& column, ValueType type) const override {
        return is_text(type) ? std::string{} : takes("text", column);
    }

    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        thread_local std::string out;
        thread_local std::vector<re2::StringPiece> groups;
        groups.assign(static_cast<std::size_t>(groups_), {});
        if (!match(text, 0, groups)) return Value(text);
        out.clear();
        CpuBudget budget(text.size());
        std::size_t copied = 0;
        std::size_t previous_end = std::string_view::npos;
        for (std::size_t from = 0;;) {
            const auto start = static_cast<std::size_t>(groups[0].data() - text.data());
            const std::size_t end = start + groups[0].size();
            if (start != end || start != previous_end) {
                out.append(text, copied, start - copied);
                substitute(out, groups);
                copied = previous_end = end;
            }
            from = start == end ? end + std::max<std::size_t>(1, first_character(text.substr(end))) : end;
            budget.spend();
            if (from > text.size() || !match(text, from, groups)) break;
        }
        out.append(text, copied);
        return Value(arena.copy(out));
    }

    std::string describe() const override { return fmt::format("replace /{}/", pattern_->pattern()); }
    std::string meaning() const override {
        std::string meaning = describe();
        for (const Piece& piece : pieces_)
            meaning += fmt::format(" {} {} {}", piece.group, piece.text.size(), piece.text);
        return meaning;
    }

   private:
    bool match(std::string_view text, std::size_t from, std::vector<re2::StringPiece>& groups) const {
        return pattern_->Match({text.data(), text.size()}, from, text.size(), re2::RE2::UNANCHORED, groups.data(),
                               static_cast<int>(groups.size()));
    }

    void substitute(std::string& out, const std::vector<re2::StringPiece>& groups) const {
        for (const Piece& piece : pieces_) {
            if (piece.group < 0) {
                out += piece.text;
            } else if (const auto& group = groups[static_cast<std::size_t>(piece.group)]; group.data() != nullptr) {
                out.append(group.data(), group.size());
            }
        }
    }

    std::unique_ptr<re2::RE2> pattern_;
    std::vector<Piece> pieces_;
    int groups_ = 1;  // to ask for, with the whole match
};

}  // namespace

std::unique_ptr<Transform> make_regex(Fields& parameters, const TransformDefaults& /*defaults*/) {
    auto pattern = compile_regex(parameters.required_text("pattern"), parameters.place());
    const std::string replace = parameters.required_text("replace");
    if (!is_utf8(replace)) throw refuse(parameters.place(), "'replace' is not valid UTF-8");
    auto pieces = Replacement(replace, *pattern, parameters.place()).pieces;
    return std::make_unique<RegexTransform>(std::move(pattern), std::move(pieces));
}

}  // namespace pgsluice::rules
