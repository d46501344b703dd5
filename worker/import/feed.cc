#include "worker/import/feed.h"

#include <fmt/format.h>

#include <utility>

namespace pgsluice {

namespace {

constexpr std::size_t block_bytes = 128UL * 1024;

Error changed(const SurveyedTable& table) {
    return stop_error(fmt::format("unable to import '{}.{}': the dump changed while it was read", table.name.schema,
                                  table.name.table),
                      "Start the import again, once nothing writes to the dump.");
}

}  // namespace

ImportFeed::ImportFeed(Parts parts) : parts_(std::move(parts)), counts_(parts_.tables.size()) {}

void ImportFeed::table(const QualifiedName& name, const std::vector<std::string>& columns,
                       const dump::Place& /*place*/) {
    bool known = false;
    const std::size_t next = numbers_.of(name, known);
    if (known && next == current_) return;
    flush();
    if (next >= parts_.tables.size() || parts_.tables[next].name != name || parts_.tables[next].columns != columns)
        throw changed(parts_.tables.at(std::min(next, parts_.tables.size() - 1)));
    current_ = next;
}

void ImportFeed::row(std::string_view line, const dump::Place& place) {
    Count& count = counts_[current_];
    ++count.found;
    if (parts_.max_rows != 0 && count.read == parts_.max_rows) return;
    ++count.read;
    if (text_rows_ == 0) first_ = place;
    last_line_ = place.line;
    text_->append(line).push_back('\n');
    ++text_rows_;
    if (text_->size() >= block_bytes) flush();
}

Checkpoint ImportFeed::upto() const { return {StreamSeq{last_seq_.value + 1}, {parts_.point, rows_}}; }

void ImportFeed::flush() {
    if (text_rows_ == 0) return;
    Message message;
    message.first_seq = message.last_seq = StreamSeq{++last_seq_.value};
    message.meta.kind = MessageKind::copy;
    message.copy = {parts_.epoch, static_cast<std::uint32_t>(current_), rows_ + 1, std::exchange(text_rows_, 0), 0, 0};
    const auto text = std::exchange(text_, std::make_shared<std::string>());
    message.body = *text;
    message.owner = text;
    rows_ += message.copy.rows;
    Count& count = counts_[current_];
    try {
        const SnapshotFeed::Taken taken = parts_.feed.copy(message, upto());
        count.delivered += taken.rows;
        count.rewritten += taken.rewritten;
        count.dropped += taken.dropped;
    } catch (const SqlError&) {
        throw;
    } catch (const Error& error) {
        throw Error(
            error.action(),
            fmt::format("{} (within lines {} to {} of dump '{}')", error.what(), first_.line, last_line_, first_.file),
            error.hint());
    }
    parts_.block(*this);
}

void ImportFeed::finish() {
    flush();
    for (std::size_t i = 0; i < counts_.size(); ++i)
        if (counts_[i].found != parts_.tables[i].rows) throw changed(parts_.tables[i]);
}

}  // namespace pgsluice
