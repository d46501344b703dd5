#include "worker/dead_letters/owed.h"

#include <fmt/format.h>

#include <utility>

#include "sinks/postgres/progress.h"
#include "sql/error.h"
#include "sql/own_schema.h"

namespace pgsluice {

namespace {

std::shared_ptr<const Relation> parked_table() {
    auto made = std::make_shared<Relation>();
    made->schema = own_schema;
    made->table = own_marks;
    for (const char* name : {"group", "worker", "position"})
        made->columns.push_back({name, 25, -1, true, "text", 25, 0});
    return made;
}

}  // namespace

OwedLetters::OwedLetters(const sql::ConnectOptions& target, std::string group, std::string worker, std::stop_token stop)
    : connection_(target, std::move(stop)),
      group_(std::move(group)),
      worker_(std::move(worker)),
      table_(parked_table()) {
    PostgresProgress::require_owned(connection_);
    if (PostgresProgress::has_moved(connection_, group_, worker_)) return;
    throw stop_error(
        fmt::format("unable to replay: worker '{}' of group '{}' has never written to this target", worker_, group_),
        "Give the target and the --worker-name of the worker that parked the changes.");
}

bool OwedLetters::holds(const DeadLetter& letter) {
    return connection_
               .query("SELECT 1 FROM pgsluice.parked WHERE \"group\" = $1 AND worker = $2 AND position = $3",
                      {group_, worker_, letter.position}, {1, 0, 1})
               .rows() == 1;
}

void OwedLetters::remove_with(Batch& batch, const DeadLetter& letter) const {
    const auto values = batch.arena.make<Value>(3);
    values[0] = Value(batch.arena.copy(group_));
    values[1] = Value(batch.arena.copy(worker_));
    values[2] = Value(batch.arena.copy(letter.position));
    Change row;
    row.op = Op::del;
    row.old_kind = OldRow::key;
    row.relation = table_.get();
    row.transaction = batch.changes.back().transaction;
    row.position = batch.changes.back().position;
    ++row.position.ordinal;
    row.old_row = values;
    batch.changes.push_back(row);
    batch.keep.push_back(table_);
}

}  // namespace pgsluice
