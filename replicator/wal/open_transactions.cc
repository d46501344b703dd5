#include "replicator/wal/open_transactions.h"

#include <fmt/format.h>

#include <utility>

#include "replicator/wal/pgoutput_cursor.h"
#include "sql/big_endian.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

[[noreturn]] void refuse(const char* what) {
    throw stop_error(fmt::format("unable to decode the source's running transactions: {}", what),
                     "Please report this as a bug in pgsluice. Without --read-ahead it cannot happen.");
}

std::string begin_message(Lsn commit, std::int64_t time, std::uint32_t xid) {
    std::string message = "B";
    append_big_endian(message, commit.value);
    append_big_endian(message, static_cast<std::uint64_t>(time));
    append_big_endian(message, xid);
    return message;
}

std::string commit_message(Lsn commit, Lsn end, std::int64_t time) {
    std::string message(2, '\0');
    message.front() = 'C';
    append_big_endian(message, commit.value);
    append_big_endian(message, end.value);
    append_big_endian(message, static_cast<std::uint64_t>(time));
    return message;
}

Oid table_of(std::string_view relation) { return pgoutput::Cursor(relation.substr(1), "Relation").int32(); }

}  // namespace

bool OpenTransactions::take(std::string_view message) {
    if (message.empty()) return false;
    switch (message.front()) {
        case 'S':
            start(message);
            return true;
        case 'E':
            stop(message);
            return true;
        case 'c':
            commit(message);
            return true;
        case 'A':
            abort(message);
            return true;
        default:
            break;
    }
    if (current_ != nullptr) {
        keep(message);
        return true;
    }
    if (!kept_.empty() && message.front() == 'R') newest_[table_of(message)] = {++order_, std::string(message)};
    return false;
}

std::uint64_t OpenTransactions::bytes() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& [xid, kept] : kept_) sum += kept->spool.size();
    return sum;
}

void OpenTransactions::start(std::string_view message) {
    pgoutput::Cursor in(message.substr(1), "StreamStart");
    current_xid_ = in.int32();
    const bool first = in.byte() != 0;
    in.expect_end();
    if (current_ != nullptr) refuse("a chunk begins inside another");
    if (kept_.empty()) newest_.clear();
    std::unique_ptr<Kept>& kept = kept_[current_xid_];
    if (first == (kept != nullptr)) refuse("a chunk is the first of its transaction, or is not, wrongly");
    if (first) kept = std::make_unique<Kept>(directory_, in_memory_);
    current_ = kept.get();
}

void OpenTransactions::stop(std::string_view message) {
    pgoutput::Cursor(message.substr(1), "StreamStop").expect_end();
    if (std::exchange(current_, nullptr) == nullptr) refuse("a chunk ends that did not begin");
}

void OpenTransactions::keep(std::string_view message) {
    const std::string_view kind = message.substr(0, 1);
    pgoutput::Cursor in(message.substr(1), "streamed");
    // The only one without: it is the transaction's.
    const std::uint32_t subxid = kind == "O" ? current_xid_ : in.int32();
    if (subxid != current_xid_ && current_->started.try_emplace(subxid, current_->spool.size()).second)
        current_->places.push_back({current_->spool.size(), subxid});
    if (kind == "R") current_->described.push_back({current_->spool.size(), ++order_});
    current_->spool.append(kind, in.bytes(in.left()));
}

void OpenTransactions::abort(std::string_view message) {
    pgoutput::Cursor in(message.substr(1), "StreamAbort");
    const std::uint32_t xid = in.int32();
    const std::uint32_t subxid = in.int32();
    in.expect_end();
    if (current_ != nullptr) refuse("a transaction is undone inside a chunk");
    const auto kept = kept_.find(xid);
    if (kept == kept_.end()) refuse("a transaction is undone that did not begin");
    if (xid == subxid) {
        kept_.erase(kept);
        return;
    }
    Kept& from = *kept->second;
    const auto found = from.started.find(subxid);
    if (found == from.started.end()) return;  // nothing of it has come
    const std::uint64_t at = found->second;
    from.spool.truncate(at);
    while (!from.places.empty() && from.places.back().at >= at) {
        from.started.erase(from.places.back().subxid);
        from.places.pop_back();
    }
    while (!from.described.empty() && from.described.back().at >= at) from.described.pop_back();
}

void OpenTransactions::commit(std::string_view message) {
    pgoutput::Cursor in(message.substr(1), "StreamCommit");
    const std::uint32_t xid = in.int32();
    if (in.byte() != 0) in.fail("it has unknown flags");
    const Lsn commit = in.lsn();
    const Lsn end = in.lsn();
    const std::int64_t time = in.timestamp();
    in.expect_end();
    if (current_ != nullptr) refuse("a transaction commits inside a chunk");
    const auto kept = kept_.find(xid);
    if (kept == kept_.end()) refuse("a transaction commits that did not begin");
    passing_ = std::move(kept->second);
    kept_.erase(kept);
    begin_ = begin_message(commit, time, xid);
    commit_ = commit_message(commit, end, time);
    described_ = 0;
    outdated_.clear();
    stage_ = Stage::begin;
}

std::optional<std::string_view> OpenTransactions::next() {
    switch (stage_) {
        case Stage::none:
            break;
        case Stage::begin:
            stage_ = Stage::changes;
            return begin_;
        case Stage::changes:
            if (const auto message = passing_->spool.next()) {
                if (message->starts_with('R')) pass_definition(*message);
                return message;
            }
            passing_.reset();
            stage_ = Stage::definitions;
            return commit_;
        case Stage::definitions:
            if (const auto message = next_definition()) return message;
            stage_ = Stage::none;
    }
    return std::nullopt;
}

void OpenTransactions::pass_definition(std::string_view message) {
    const Order order = passing_->described[described_++].order;
    const Oid table = table_of(message);
    Newest& newest = newest_[table];
    if (order > newest.order)
        newest = {order, std::string(message)};
    else
        outdated_.insert(table);
}

// Whoever takes these messages goes by the last definition, and the walsender holds that it has sent the newest.
std::optional<std::string_view> OpenTransactions::next_definition() {
    if (outdated_.empty()) return std::nullopt;
    return newest_[outdated_.extract(outdated_.begin()).value()].message;
}

}  // namespace pgsluice
