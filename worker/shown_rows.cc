#include "worker/shown_rows.h"

#include <string_view>
#include <utility>

#include "stream/format/json_writer.h"
#include "stream/format/utf8.h"
#include "stream/op_names.h"

namespace pgsluice {

namespace {

// Not within a character.
std::string shortened(std::string_view text) {
    std::size_t end = ShownRows::most_value_bytes;
    while (end > 0 && is_continuation(text[end])) --end;
    return std::string(text.substr(0, end)) + "…";
}

void append(JsonText& out, const Value& value) {
    if (value.is_null()) return out.raw("null");
    if (value.is_unchanged()) return out.raw("false");
    const std::string_view text = value.text();
    text.size() > ShownRows::most_value_bytes ? out.text(shortened(text)) : out.text(text);
}

// [["id","1"],["email",null]]; a value of which only its absence is known is false, as in the stream.
void append_row(JsonText& out, const char* key, const Change& change) {
    const bool deleted = change.op == Op::del;
    const Row row = deleted ? change.old_row : change.new_row;
    const auto& columns = change.relation->columns;
    const std::size_t limit = out.size() + ShownRows::most_row_bytes / 2;
    out.key(key);
    out.raw('[');
    bool first = true;
    for (std::size_t i = 0; i < row.size() && i < columns.size() && out.size() < limit; ++i) {
        if (deleted && change.old_kind == OldRow::key && !columns[i].key) continue;
        if (!std::exchange(first, false)) out.raw(',');
        out.raw('[');
        out.text(columns[i].name);
        out.raw(',');
        append(out, row[i]);
        out.raw(']');
    }
    out.raw(']');
}

std::string full_name(const Relation& relation) {
    return relation.schema.empty() ? relation.table : relation.schema + '.' + relation.table;
}

}  // namespace

void ShownRows::take(const Change& before, const Change* after) {
    const Change& shown = after != nullptr ? *after : before;
    if (shown.op > Op::del) return;
    JsonText out;
    out.raw('{');
    out.text("op", op_name(shown.op));
    out.text("table", full_name(*shown.relation));
    out.number("time_us", before.transaction != nullptr ? before.transaction->commit_time_us : 0);
    out.boolean("dropped", after == nullptr);
    if (show_ == ShowRows::both) append_row(out, "before", before);
    if (after != nullptr) append_row(out, "after", *after);
    out.raw('}');
    ++taken_in_second_;
    const std::lock_guard lock(mutex_);
    if (rows_.size() == most_rows) rows_.pop_front();
    rows_.emplace_back(out.view());
}

std::string ShownRows::look(Clock::time_point now) {
    looked_at_ = now.time_since_epoch().count();
    watched_ = true;
    const std::lock_guard lock(mutex_);
    std::string all = "[";
    for (const std::string& row : rows_) all += (all.size() > 1 ? "," : "") + row;
    return all + ']';
}

// The rows of when someone looked last are no longer of now.
bool ShownRows::has_room(Clock::time_point now) noexcept {
    if (now - Clock::time_point(Clock::duration(looked_at_)) > looks_for) {
        watched_ = false;
        const std::lock_guard lock(mutex_);
        rows_.clear();
        return false;
    }
    if (now - second_ >= std::chrono::seconds(1)) {
        second_ = now;
        taken_in_second_ = 0;
    }
    return taken_in_second_ < most_rows_a_second;
}

}  // namespace pgsluice
