#include "replicator/wal/encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "replicator/replicator_metrics.h"
#include "sql/error.h"
#include "stream/base/failpoint.h"
#include "stream/format/ddl_message.h"
#include "stream/heartbeat.h"
#include "stream/origin.h"
#include "stream/recovery_hint.h"

namespace pgsluice {

namespace {

[[noreturn]] void out_of_order(const char* what) {
    throw stop_error(fmt::format("unable to decode the source's changes: {}", what),
                     "Please report this as a bug in pgsluice.");
}

// The rules were refused at their definition when they may ask for this; should one do it yet, nothing passes.
[[noreturn]] void refuse_blind_update(const Relation& table) {
    throw stop_error(fmt::format("unable to filter '{}.{}' before it is published: an update does not say whether its "
                                 "row passed the filter before",
                                 table.schema, table.table),
                     "Please report this as a bug in pgsluice.");
}

Relation build_relation(const pgoutput::RelationMessage& message) {
    Relation relation;
    relation.oid = message.oid;
    relation.schema = message.schema;
    relation.table = message.table;
    relation.identity = message.identity;
    relation.columns.reserve(message.columns.size());
    for (const auto& from : message.columns) {
        Column& column = relation.columns.emplace_back();
        column.name = from.name;
        column.type_oid = from.type_oid;
        column.typmod = from.typmod;
        column.key = from.key;
    }
    return relation;
}

}  // namespace

WalEncoder::WalEncoder(const ResumePoint& resume, TypeLookup types)
    : types_(std::move(types)), resume_(resume), reached_(resume) {}

void WalEncoder::end_at(Lsn until, std::set<Oid> left_out) {
    until_ = until;
    left_out_ = std::move(left_out);
}

void WalEncoder::take(std::string_view message) {
    std::visit([this](const auto& decoded) { on(decoded); }, decoder_.decode(message));
}

void WalEncoder::skip_to(Lsn lsn) noexcept {
    if (in_transaction_) return;
    const Lsn most = until_ ? std::min(lsn, *until_) : lsn;
    reached_.safe_flush_lsn = std::max(reached_.safe_flush_lsn, most);
}

EncodedBlock WalEncoder::finish() {
    const auto body = writer_.finish();
    replaced_.clear();
    return {{MessageKind::changes, reached_.position, reached_.safe_flush_lsn}, body};
}

void WalEncoder::on(const pgoutput::Begin& begin) {
    if (in_transaction_) out_of_order("a transaction begins inside another");
    if (until_ && begin.commit_lsn >= *until_) {
        at_end_ = true;
        return;
    }
    check_comes_again(begin);
    in_transaction_ = true;
    ordinal_ = 0;
    beats_ = false;
    transaction_ = {begin.xid, begin.commit_lsn, {}, begin.commit_time_us};
    forget_published();
    skipping_ = begin.commit_lsn < resume_.safe_flush_lsn || begin.commit_lsn < resume_.position.commit;
    if (!skipping_) writer_.begin(transaction_, is_continued());
}

bool WalEncoder::is_continued() const noexcept {
    return transaction_.commit_lsn == resume_.position.commit && resume_.position.ordinal > 0;
}

// Comes right after its Begin, of which nothing is written yet.
void WalEncoder::on(const pgoutput::Origin& origin) {
    if (!in_transaction_) out_of_order("an origin came outside of a transaction");
    if (skipping_) return;
    if (drops_marked_ && !is_continued()) {
        skipping_ = true;
        return;
    }
    const auto name = parse_origin_name(origin.name);
    if (!name) return;
    made_in_ = name->source;
    transaction_.made_in = made_in_;
    writer_.begin(transaction_, is_continued());
}

// A source that was set back and then written to may be past what the stream holds; its changes up to there would be
// skipped, taken for ones that it no longer has.
void WalEncoder::check_comes_again(const pgoutput::Begin& begin) {
    if (!resume_.comes_again || begin.commit_lsn < resume_.position.commit) return;
    if (begin.commit_lsn > resume_.position.commit) {
        throw stop_error(
            fmt::format("unable to continue after {}: the source has no transaction that was committed there, so it "
                        "was set back to an earlier state",
                        to_string(resume_.position)),
            std::string(resnapshot_hint) + " to copy the group again, or use another --group.");
    }
    resume_.comes_again = false;
}

void WalEncoder::on(const pgoutput::Commit& commit) {
    if (!in_transaction_ || commit.commit_lsn != transaction_.commit_lsn) {
        out_of_order("a commit is not that of the transaction begun");
    }
    if (!skipping_) writer_.commit(commit.end_lsn);
    if (metrics_ != nullptr && !skipping_ && ordinal_ > 0 && !beats_) metrics_->transactions.add();
    in_transaction_ = false;
    skip_to(commit.end_lsn);
}

void WalEncoder::on(const pgoutput::RelationMessage& message) {
    Relation relation = build_relation(message);
    if (types_.complete) types_.complete(relation, transaction_.commit_lsn, transaction_.xid);
    if (!judge(relation)) return;
    if (types_.came_as) relation.came_as = types_.came_as(relation);
    last_ = nullptr;
    Known& entry = relations_[message.oid];
    if (metrics_ != nullptr) entry.tally = &metrics_->tables.of(relation);
    RelationPtr& known = entry.relation;
    if (known && *known == relation) return;
    if (entry.published) replaced_.push_back(std::move(entry.published));
    known = std::make_shared<const Relation>(std::move(relation));
    entry.rules.reset();
    entry.published = types_.rules ? nullptr : known;
}

// Not before something of the table is published: definitions from before that are none of the rules' business.
const RelationPtr& WalEncoder::published(Known& known) {
    if (known.published) return known.published;
    known.rules = types_.rules(known.relation, {transaction_.commit_lsn, ordinal_});
    known.published = known.rules->target();
    return known.published;
}

// False when nothing more is to be taken.
bool WalEncoder::judge(const Relation& relation) {
    if (!types_.verdict) return true;
    switch (types_.verdict(relation, transaction_.commit_lsn)) {
        case TableVerdict::publish:
            refused_.erase(relation.oid);
            if (types_.published_from) published_later_[relation.oid] = types_.published_from(relation.oid);
            forget_published();
            break;
        case TableVerdict::leave_out:
            refused_.insert(relation.oid);
            break;
        case TableVerdict::end_session:
            at_end_ = session_ends_ = true;
    }
    return !at_end_;
}

void WalEncoder::forget_published() {
    std::erase_if(published_later_, [&](const auto& each) { return each.second <= transaction_.commit_lsn; });
}

void WalEncoder::on(const pgoutput::Type& type) {
    if (types_.forget) types_.forget(type.oid);
}

void WalEncoder::on(const pgoutput::Insert& insert) {
    if (!next_ordinal_of(insert.relation)) return;
    Change change;
    change.op = Op::insert;
    change.relation = &relation(insert.relation, insert.new_row);
    change.new_row = insert.new_row;
    write_row(change);
}

void WalEncoder::on(const pgoutput::Update& update) {
    if (!next_ordinal_of(update.relation)) return;
    Change change;
    change.op = Op::update;
    change.relation = &relation(update.relation, update.new_row);
    change.old_kind = update.old_kind;
    change.old_row = update.old_row;
    change.new_row = update.new_row;
    if (!update.old_row.empty()) relation(update.relation, update.old_row);
    write_row(change);
}

void WalEncoder::on(const pgoutput::Delete& del) {
    if (!next_ordinal_of(del.relation)) return;
    Change change;
    change.op = Op::del;
    change.relation = &relation(del.relation, del.old_row);
    change.old_kind = del.old_kind;
    change.old_row = del.old_row;
    write_row(change);
}

void WalEncoder::on(const pgoutput::Truncate& truncate) {
    if (!next_ordinal()) return;
    truncated_.clear();
    for (const Oid oid : truncate.relations) {
        const auto known = relations_.find(oid);
        if (known == relations_.end()) out_of_order("a truncated table was not described before");
        if (is_left_out(oid)) continue;
        truncated_.push_back(published(known->second));
        known->second.last = now();
    }
    if (truncate.relations.empty()) out_of_order("a truncate names no table");
    if (truncated_.empty()) return;
    Change change;
    change.op = Op::truncate;
    change.cascade = truncate.cascade;
    change.restart_identity = truncate.restart_identity;
    change.relation = truncated_.front().get();
    change.truncated = truncated_;
    write(change);
}

void WalEncoder::on(const pgoutput::LogicalMessage& message) {
    if (message.transactional) {
        if (!next_ordinal()) return;
    } else if (in_transaction_) {
        out_of_order("a non-transactional message came inside a transaction");
    }
    beats_ = message.prefix == heartbeat_prefix;
    const bool is_ddl = message.prefix.starts_with(ddl_message_prefix);
    pgoutput::LogicalMessage published = message;
    const bool ours = is_ddl ? take_ddl(published) : is_ours(message);
    if (ours && (message.transactional || is_new(message))) {
        Change change;
        change.op = Op::message;
        change.prefix = published.prefix;
        change.content = published.content;
        if (!message.transactional) change.position = {message.lsn, 0};
        if (is_ddl) PGSLUICE_FAILPOINT("ddl-decoded");
        write(change);
        if (types_.ddl && is_ddl) types_.ddl();
    }
    if (!message.transactional) skip_to(message.lsn);
}

// Groups that read one database see each other's messages. Anybody can write one, of any size: whatever else it says,
// which no rule has seen, is left out.
bool WalEncoder::is_ours(const pgoutput::LogicalMessage& message) const noexcept {
    if (message.prefix == heartbeat_prefix) return message.content == group_;
    return message.prefix == log_moved_prefix && message.content.empty();
}

bool WalEncoder::take_ddl(pgoutput::LogicalMessage& message) {
    if (!message.transactional || !types_.ddl_content) return false;
    auto content = types_.ddl_content(transaction_.xid, message);
    if (!content) return false;
    ddl_ = std::move(*content);
    message.prefix = ddl_message_prefix;
    message.content = ddl_;
    return true;
}

bool WalEncoder::is_new(const pgoutput::LogicalMessage& message) const noexcept {
    return message.lsn > resume_.safe_flush_lsn && Position{message.lsn, 0} > resume_.position;
}

bool WalEncoder::next_ordinal() {
    if (!in_transaction_) out_of_order("a change came outside of a transaction");
    ++ordinal_;
    return !skipping_ && Position{transaction_.commit_lsn, ordinal_} > resume_.position;
}

const Relation& WalEncoder::relation(Oid oid, Row row) {
    if (last_ == nullptr || last_->relation->oid != oid) {
        const auto known = relations_.find(oid);
        if (known == relations_.end()) out_of_order("the table of a change was not described before");
        last_ = &known->second;
    }
    if (row.size() != last_->relation->columns.size()) {
        out_of_order("a row has another number of columns than its table was described with");
    }
    last_->last = now();
    return *last_->relation;
}

LastChanges WalEncoder::last_changes() const {
    LastChanges changes;
    for (const auto& [oid, known] : relations_)
        if (known.last.commit != Lsn{}) changes[oid] = known.last;
    return changes;
}

void WalEncoder::write_row(Change& change) {
    if (types_.rules && !pass_rules(change)) return;
    write(change);
}

bool WalEncoder::pass_rules(Change& change) {
    published(*last_);
    arena_.clear();
    if (!last_->rules->apply(change, arena_)) return false;
    if (change.upsert) refuse_blind_update(*last_->relation);
    return true;
}

void WalEncoder::write(Change& change) {
    if (in_transaction_) {
        change.transaction = &transaction_;
        change.position = {transaction_.commit_lsn, ordinal_};
    }
    const std::size_t before = writer_.size();
    writer_.change(change);
    reached_.position = change.position;
    ++changes_;
    if (metrics_ != nullptr) count(change, writer_.size() - before);
}

void WalEncoder::count(const Change& change, std::size_t bytes) noexcept {
    if (change.op == Op::message) {
        if (change.prefix == ddl_message_prefix) metrics_->ddl_messages.add();
        return;
    }
    if (change.op == Op::truncate) {
        for (const RelationPtr& table : change.truncated) relations_[table->oid].tally->count(Op::truncate);
        return;
    }
    last_->tally->count(change.op);
    last_->tally->bytes.add(bytes);
}

}  // namespace pgsluice
