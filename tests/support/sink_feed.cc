#include "tests/support/sink_feed.h"

namespace pgsluice::test {

RelationPtr make_relation(const std::string& schema, const std::string& table, const std::vector<std::string>& columns,
                          ReplicaIdentity identity) {
    auto relation = std::make_shared<Relation>();
    relation->schema = schema;
    relation->table = table;
    relation->identity = identity;
    for (const std::string& spec : columns) {
        Column column;
        const auto space = spec.find(' ');
        column.name = spec.substr(0, space);
        column.type_name = spec.substr(space + 1);
        column.key = column.type_name.ends_with('*') || identity == ReplicaIdentity::full;
        if (column.type_name.ends_with('*')) column.type_name.pop_back();
        relation->columns.push_back(std::move(column));
    }
    return relation;
}

void SinkFeed::start() {
    if (current_ == nullptr) {
        batches_.push_back(std::make_unique<Batch>());
        current_ = batches_.back().get();
    }
    if (!in_transaction_) {
        in_transaction_ = true;
        commit_ += 100;
        ordinal_ = 0;
        transactions_.push_back(std::make_unique<Transaction>());
        transactions_.back()->xid = static_cast<std::uint32_t>(commit_);
        transactions_.back()->commit_lsn = Lsn{commit_};
    }
}

Row SinkFeed::copy(const Values& values) {
    auto row = current_->arena.make<Value>(values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        row[i] = values[i].is_text() ? Value(current_->arena.copy(values[i].text())) : values[i];
    return row;
}

Change& SinkFeed::add(Op op, const RelationPtr& relation) {
    start();
    Change change;
    change.op = op;
    change.relation = relation.get();
    change.transaction = transactions_.back().get();
    change.position = {Lsn{commit_}, ++ordinal_};
    current_->keep.push_back(relation);
    current_->changes.push_back(change);
    return current_->changes.back();
}

SinkFeed& SinkFeed::insert(const RelationPtr& relation, const Values& row) {
    Change& change = add(Op::insert, relation);
    change.new_row = copy(row);
    return *this;
}

SinkFeed& SinkFeed::update(const RelationPtr& relation, const Values& row) {
    return update(relation, OldRow::none, {}, row);
}

SinkFeed& SinkFeed::update(const RelationPtr& relation, OldRow kind, const Values& old_row, const Values& row) {
    Change& change = add(Op::update, relation);
    change.old_kind = kind;
    if (kind != OldRow::none) change.old_row = copy(old_row);
    change.new_row = copy(row);
    return *this;
}

SinkFeed& SinkFeed::remove(const RelationPtr& relation, OldRow kind, const Values& old_row) {
    Change& change = add(Op::del, relation);
    change.old_kind = kind;
    change.old_row = copy(old_row);
    return *this;
}

SinkFeed& SinkFeed::truncate(const std::vector<RelationPtr>& relations, bool restart_identity) {
    Change& change = add(Op::truncate, relations.front());
    truncated_.push_back(std::make_unique<std::vector<RelationPtr>>(relations));
    change.truncated = *truncated_.back();
    change.restart_identity = restart_identity;
    return *this;
}

SinkFeed& SinkFeed::message(std::string_view prefix, std::string_view content) {
    Change& change = add(Op::message, nullptr);
    change.prefix = prefix;
    change.content = current_->arena.copy(content);
    return *this;
}

Batch& SinkFeed::finish(bool whole) {
    start();
    Batch& batch = *current_;
    batch.complete = whole;
    batch.upto.resume_seq = StreamSeq{++seq_};
    batch.upto.position = {Lsn{commit_}, ordinal_};
    current_ = nullptr;
    if (whole) in_transaction_ = false;
    return batch;
}

void SinkFeed::forget() {
    current_ = nullptr;
    batches_.clear();
    transactions_.clear();
    truncated_.clear();
}

void SinkFeed::resume(const Checkpoint& checkpoint) {
    current_ = nullptr;
    in_transaction_ = false;
    commit_ = checkpoint.position.commit.value;
    seq_ = checkpoint.resume_seq.value;
}

}  // namespace pgsluice::test
