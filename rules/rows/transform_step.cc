#include "rules/rows/transform_step.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/rows/readable.h"
#include "stream/base/padding.h"

namespace pgsluice::rules {
namespace {

// What the transform goes by: another column's value, as the source has it, or where that is NULL the value itself.
std::string_view subject_of(const TransformStep& step, std::string_view text, Row source) {
    const Value& subject = source[step.subject];
    if (subject.is_unchanged())
        stop(step.place, fmt::format("the update did not touch column '{}', which it goes by, so the WAL does not hold "
                                     "that value (TOAST)",
                                     step.transform->subject()));
    if (subject.is_null()) return text;
    return without_padding(subject.text());  // a char(n) is as a varchar
}

}  // namespace

Value transformed(const TransformStep& step, const Value& value, Arena& arena, Row source) {
    if (value.is_unchanged()) return value;
    if (value.is_null()) return step.transform->for_null(step.type);
    const std::string_view text = readable(value, step.type, step.transform->reads_text(), step.place);
    try {
        if (step.subject == TransformStep::no_subject) return step.transform->apply(text, step.type, arena);
        return step.transform->apply_for(text, subject_of(step, text, source), arena);
    } catch (const Unreadable& unreadable) {
        stop(step.place, unreadable.reason);
    }
}

bool same_steps(std::span<const TransformStep> a, std::span<const TransformStep> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const TransformStep& x, const TransformStep& y) {
        return x.target == y.target && x.transform == y.transform;
    });
}

}  // namespace pgsluice::rules
