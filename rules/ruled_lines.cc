#include "rules/ruled_lines.h"

#include "stream/format/copy_text.h"

namespace pgsluice::rules {

std::string_view RuledLines::of(std::string_view row) {
    if (rules_ == nullptr) return row;
    line_.clear();
    if (!rules_->copy_prefix().empty()) return line_.append(rules_->copy_prefix()).append(row);
    arena_.clear();
    source_ = {};
    source_.snapshot = true;
    source_.relation = &relation_;
    source_.new_row = parse_copy_line(take_copy_line(row), relation_.columns.size(), arena_);
    passed_ = source_;
    if (rules_->apply(passed_, arena_)) append_copy_line(line_, passed_.new_row);
    return line_;
}

bool RuledLines::rewrote() const {
    return rules_ != nullptr && rules_->copy_prefix().empty() && !line_.empty() && rules::rewrote(source_, passed_);
}

}  // namespace pgsluice::rules
