#include "stream/format/block_writer.h"

#include <stdexcept>

#include "stream/format/relation_json.h"

namespace pgsluice {

void BlockWriter::begin(const Transaction& transaction, bool continued) {
    transaction_ = transaction;
    in_transaction_ = true;
    begin_written_ = false;
    transaction_has_changes_ = continued;
}

void BlockWriter::change(const Change& change) {
    if (change.op == Op::message && change.transaction == nullptr) {
        write_message(change);
        return;
    }
    if (!in_transaction_) throw std::logic_error("a change outside a transaction");
    if (change.op == Op::truncate) {
        for (const auto& relation : change.truncated) number_of(*relation);
    } else if (change.op != Op::message) {
        number_of(*change.relation);
    }
    if (!begin_written_) write_begin();
    transaction_has_changes_ = true;
    if (change.op == Op::truncate) {
        write_truncate(change);
    } else if (change.op == Op::message) {
        write_message(change);
    } else {
        write_row_change(change);
    }
}

void BlockWriter::commit(Lsn end_lsn) {
    if (!in_transaction_) throw std::logic_error("a commit outside a transaction");
    in_transaction_ = false;
    if (!transaction_has_changes_) return;
    if (!begin_written_) write_begin();
    start_record("[\"C\",");
    text_.lsn(end_lsn);
    text_.raw(']');
}

std::string_view BlockWriter::finish() {
    if (empty()) return {};
    text_.raw("]\n");
    finished_ = true;
    begin_written_ = false;
    numbers_.clear();
    last_relation_ = nullptr;
    return text_.view();
}

void BlockWriter::start_record(std::string_view kind) {
    if (finished_) {
        text_.clear();
        finished_ = false;
    }
    text_.raw(text_.size() == 0 ? "[" : ",\n");
    text_.raw(kind);
}

void BlockWriter::write_begin() {
    start_record("[\"B\",");
    text_.number(transaction_.xid);
    text_.raw(',');
    text_.lsn(transaction_.commit_lsn);
    text_.raw(',');
    text_.number(transaction_.commit_time_us);
    if (!transaction_.made_in.empty()) {
        text_.raw(',');
        text_.text(transaction_.made_in);
    }
    text_.raw(']');
    begin_written_ = true;
}

void BlockWriter::write_row_change(const Change& change) {
    const auto number = number_of(*change.relation);
    start_record(change.op == Op::insert ? "[\"I\"," : change.op == Op::update ? "[\"U\"," : "[\"D\",");
    text_.number(number);
    text_.raw(',');
    text_.number(change.position.ordinal);
    if (change.op != Op::del) write_row(change.new_row);
    write_old_row(change);  // of an insert, where it is one half of an update (worker/share/filter.h)
    text_.raw(']');
}

void BlockWriter::write_truncate(const Change& change) {
    start_record("[\"T\",");
    text_.number(change.position.ordinal);
    text_.raw(",[");
    for (bool first = true; const auto& relation : change.truncated) {
        if (!first) text_.raw(',');
        first = false;
        text_.number(number_of(*relation));
    }
    text_.raw("],");
    text_.boolean(change.cascade);
    text_.raw(',');
    text_.boolean(change.restart_identity);
    text_.raw(']');
}

void BlockWriter::write_message(const Change& change) {
    if (change.transaction == nullptr) {
        start_record("[\"N\",");
        text_.lsn(change.position.commit);
    } else {
        start_record("[\"M\",");
        text_.number(change.position.ordinal);
    }
    text_.raw(',');
    text_.text(change.prefix);
    text_.raw(',');
    text_.text(change.content);
    text_.raw(']');
}

namespace {

void write_value(JsonText& out, const Value& value) {
    switch (value.kind()) {
        case Value::Kind::text:
            out.text(value.text());
            break;
        case Value::Kind::null:
            out.raw("null");
            break;
        case Value::Kind::unchanged:
            out.raw("false");
            break;
    }
}

}  // namespace

void BlockWriter::write_row(Row row) {
    text_.raw(",[");
    for (bool first = true; const auto& value : row) {
        if (!first) text_.raw(',');
        first = false;
        write_value(text_, value);
    }
    text_.raw(']');
}

void BlockWriter::write_old_row(const Change& change) {
    if (change.old_kind == OldRow::none) return;
    if (change.old_kind == OldRow::full) {
        text_.raw(",\"f\"");
        write_row(change.old_row);
        return;
    }
    text_.raw(",\"k\",[");
    bool first = true;
    for (std::size_t i = 0; i < change.old_row.size(); ++i) {
        if (!change.relation->columns[i].key) continue;
        if (!first) text_.raw(',');
        first = false;
        write_value(text_, change.old_row[i]);
    }
    text_.raw(']');
}

std::uint32_t BlockWriter::number_of(const Relation& relation) {
    if (&relation == last_relation_) return last_number_;
    const auto [place, added] = numbers_.try_emplace(&relation, static_cast<std::uint32_t>(numbers_.size()));
    last_relation_ = &relation;
    last_number_ = place->second;
    if (added) {
        start_record("[\"R\",");
        text_.number(place->second);
        text_.raw(',');
        append_relation(text_, relation);
        text_.raw(']');
    }
    return place->second;
}

}  // namespace pgsluice
