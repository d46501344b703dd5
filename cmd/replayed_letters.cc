#include "cmd/replayed_letters.h"

#include <utility>

namespace pgsluice {

namespace {

// Of a stream that was removed and made anew the numbers begin again; the position tells such letters apart.
constexpr const char* create_table =
    "CREATE TABLE IF NOT EXISTS pgsluice.replayed (\"group\" text, worker text, message bigint, position text, "
    "PRIMARY KEY (\"group\", worker, message, position))";
constexpr const char* is_row = "\"group\" = $1 AND worker = $2 AND message = $3::bigint AND position = $4";

std::shared_ptr<const Relation> replayed_table() {
    auto made = std::make_shared<Relation>();
    made->schema = "pgsluice";
    made->table = "replayed";
    for (const char* name : {"group", "worker", "message", "position"}) {
        const bool number = std::string_view(name) == "message";
        const Oid type = number ? 20 : 25;
        made->columns.push_back({name, type, -1, true, number ? "bigint" : "text", type, 0});
    }
    return made;
}

}  // namespace

ReplayedLetters::ReplayedLetters(const sql::ConnectOptions& target, std::string group, std::string worker,
                                 std::stop_token stop)
    : connection_(target, std::move(stop)),
      group_(std::move(group)),
      worker_(std::move(worker)),
      table_(replayed_table()) {
    connection_.exec(create_table);
}

std::vector<std::string> ReplayedLetters::row_of(const DeadLetter& letter) const {
    return {group_, worker_, std::to_string(letter.seq.value), letter.position};
}

bool ReplayedLetters::holds(const DeadLetter& letter) {
    const auto row = row_of(letter);
    const std::vector<sql::Param> params(row.begin(), row.end());
    return connection_.query(std::string("SELECT 1 FROM pgsluice.replayed WHERE ") + is_row, params, {1, 0, 1})
               .rows() == 1;
}

void ReplayedLetters::add_row(Batch& batch, const DeadLetter& letter) const {
    const auto texts = row_of(letter);
    const auto values = batch.arena.make<Value>(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) values[i] = Value(batch.arena.copy(texts[i]));
    Change row;
    row.relation = table_.get();
    row.transaction = batch.changes.back().transaction;
    row.position = batch.changes.back().position;
    ++row.position.ordinal;
    row.new_row = values;
    batch.changes.push_back(row);
    batch.keep.push_back(table_);
}

void ReplayedLetters::forget(const DeadLetter& letter) {
    const auto row = row_of(letter);
    const std::vector<sql::Param> params(row.begin(), row.end());
    connection_.query(std::string("DELETE FROM pgsluice.replayed WHERE ") + is_row, params, {0});
}

}  // namespace pgsluice
