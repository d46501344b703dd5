#include "worker/share/filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sql/error.h"

namespace pgsluice {

namespace {

std::uint64_t table_hash(const Relation& relation) {
    return ShareHash().add(relation.schema).add(relation.table).value();
}

// Where the shares begin and end, of those that go by this.
std::vector<std::uint64_t> borders(const std::vector<Share>& shares, ShareBy by) {
    std::vector<std::uint64_t> all{0};
    for (const Share& share : shares) {
        if (share.by != by) continue;
        all.push_back(first_hash(share.number, share.count));
        all.push_back(first_hash(share.number + 1, share.count));
    }
    return all;
}

std::string describe(const Share& share) { return to_string(share) + (share.by == ShareBy::table ? " by table" : ""); }

}  // namespace

std::uint32_t share_number(const Relation& table, const Share& share) {
    return share_of(table_hash(table), share.count);
}

ShareFilter::TableKey::TableKey(RelationPtr relation) : owner(std::move(relation)), table(table_hash(*owner)) {
    start.add(owner->schema).add(owner->table);
    if (owner->identity == ReplicaIdentity::full || owner->identity == ReplicaIdentity::nothing) return;
    for (std::size_t i = 0; i < owner->columns.size(); ++i)
        if (owner->columns[i].key) columns.push_back(i);
}

ShareFilter::ShareFilter(const Share& share, std::vector<DeliveredPart> delivered)
    : share_(share), delivered_(std::move(delivered)) {}

const ShareFilter::TableKey& ShareFilter::key_of(const RelationPtr& table) {
    return tables_.at(*table, [&] {
        if (met_) met_(table);
        return TableKey(table);
    });
}

// A key's value that is unchanged and so not in the new row is in the old one.
RowHash ShareFilter::hash(const TableKey& table, Row row, Row otherwise) {
    if (table.columns.empty()) return {table.table, table.table};
    ShareHash key = table.start;
    for (const std::size_t column : table.columns) {
        const bool elsewhere = row[column].is_unchanged() && column < otherwise.size();
        const Value& value = elsewhere ? otherwise[column] : row[column];
        if (!value.is_text())
            throw stop_error(
                fmt::format("unable to tell the share of a row of '{}.{}': the log does not hold its key's column '{}'",
                            table.owner->schema, table.owner->table, table.owner->columns[column].name));
        key.add(value.text());
    }
    return {key.value(), table.table};
}

bool ShareFilter::takes(const RowHash& row, StreamSeq message, Position position) const {
    return share_.has(row) && std::ranges::none_of(delivered_, [&](const DeliveredPart& part) {
               return part.has(message, position) && part.covers(row);
           });
}

ShareFilter::Half ShareFilter::half_of(const Change& source, std::span<const RelationPtr> relations,
                                       StreamSeq message) {
    const TableKey* known = tables_.find(*source.relation);
    const TableKey& table =
        known != nullptr ? *known : key_of(*std::ranges::find(relations, source.relation, &RelationPtr::get));
    const bool ours = takes(hash(table, source.op == Op::del ? source.old_row : source.new_row, source.old_row),
                            message, source.position);
    if (source.op != Op::update || source.old_kind == OldRow::none) return ours ? Half::whole : Half::none;
    const bool before = takes(hash(table, source.old_row, {}), message, source.position);
    if (before == ours) return ours ? Half::whole : Half::none;
    return ours ? Half::arriving : Half::leaving;
}

bool ShareFilter::narrow(Change& change, Half half) {
    if (half == Half::whole) return true;
    const Op wanted = half == Half::leaving ? Op::del : Op::insert;
    if (change.op != Op::update) return change.op == wanted;
    change.op = wanted;
    change.upsert = false;
    if (wanted == Op::del) change.new_row = {};
    return true;
}

ShareFilter::Parts ShareFilter::that_have(StreamSeq message, Position position) const {
    Parts parts;
    for (const DeliveredPart& part : delivered_)
        if (part.has(message, position)) parts.push_back(&part);
    return parts;
}

// Shares are intervals, so one of their borders is such a row's place, if there is one.
bool ShareFilter::has_rows_beside(const Parts& delivered, std::optional<std::uint64_t> table) const {
    std::vector<Share> shares{share_};
    for (const DeliveredPart* part : delivered) shares.insert(shares.end(), part->of.begin(), part->of.end());
    const auto tables = table ? std::vector<std::uint64_t>{*table} : borders(shares, ShareBy::table);
    for (const std::uint64_t by_key : borders(shares, ShareBy::key))
        for (const std::uint64_t by_table : tables) {
            const RowHash row{by_key, by_table};
            const auto covers = [&](const DeliveredPart* part) { return part->covers(row); };
            if (share_.has(row) && std::ranges::none_of(delivered, covers)) return true;
        }
    return false;
}

std::string ShareFilter::scope(const Parts& delivered) const {
    std::string text = share_.is_all() ? "all" : describe(share_);
    const char* before = " but ";
    for (const DeliveredPart* part : delivered) {
        for (const Share& share : part->of) {
            text += before + describe(share);
            before = "+";
        }
        before = ", ";
    }
    return text;
}

bool ShareFilter::take_truncate(Change& change, StreamSeq message) {
    const Parts delivered = that_have(message, change.position);
    truncated_.clear();
    for (const RelationPtr& table : change.truncated)
        if (has_rows_beside(delivered, table_hash(*table))) truncated_.push_back(table);
    change.truncated = truncated_;
    if (truncated_.empty()) return false;
    change.relation = truncated_.front().get();
    if (!delivered.empty() || (share_.by == ShareBy::key && !share_.is_all())) change.prefix = kept(scope(delivered));
    return true;
}

std::string_view ShareFilter::kept(std::string text) {
    if (scopes_.empty() || scopes_.back() != text) scopes_.push_back(std::move(text));
    return scopes_.back();
}

bool ShareFilter::takes_message(StreamSeq message, Position position) const {
    return has_rows_beside(that_have(message, position), std::nullopt);
}

void ShareFilter::begin_snapshot(StreamSeq marker) {
    std::erase_if(delivered_, [&](const DeliveredPart& part) { return part.from <= marker; });
}

bool ShareFilter::takes_table(const RelationPtr& table, StreamSeq marker) {
    return has_rows_beside(that_have(marker, {Lsn{UINT64_MAX}, 0}), key_of(table).table);
}

bool ShareFilter::takes_row(const Change& row, const RelationPtr& table, StreamSeq message) {
    return takes(hash(key_of(table), row.new_row, {}), message, {Lsn{UINT64_MAX}, 0});
}

}  // namespace pgsluice
