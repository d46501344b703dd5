#include "worker/compare/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "stream/base/padding.h"
#include "stream/format/copy_text.h"

namespace pgsluice {

namespace {

Row key_of(const ComparedTable& table, Row values, Arena& arena) {
    const auto key = arena.make<Value>(table.key.size());
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = values[table.key[i]];
    return key;
}

// What ranges go by.
std::uint64_t key_digest(const ComparedTable& table, Row values, Arena& arena) {
    return digest_of(table.key.empty() ? values : key_of(table, values, arena));
}

std::string line_of(Row values) {
    std::string line;
    append_copy_line(line, values);
    line.pop_back();
    return line;
}

std::string key_text(const ComparedTable& table, Row key, std::uint64_t digest) {
    return table.key.empty() ? fmt::format("{:016x}", digest) : line_of(key);
}

std::string_view without_newline(std::string_view line) {
    line.remove_suffix(1);
    return line;
}

}  // namespace

// An empty row is one that a filter leaves out; that of a table without columns is not needed here.
Row RowReader::after_rules(const RowStore& store, Row values) {
    if (store.plan == nullptr) return values;
    Change change;
    change.op = Op::insert;
    change.snapshot = true;
    change.relation = store.relation.get();
    change.new_row = values;
    if (!store.plan->apply(change, arena_)) return {};
    const auto compared = arena_.make<Value>(store.projection.size());
    for (std::size_t i = 0; i < compared.size(); ++i) {
        const Value& value = change.new_row[store.projection[i]];
        compared[i] = store.padded[i] && value.is_text() ? Value(without_padding(value.text())) : value;
    }
    return compared;
}

void RowReader::read(const ComparedTable& table, const RowStore& store, const std::optional<Part>& part,
                     const UseRow& use) {
    const auto* found = part ? std::get_if<std::size_t>(&*part) : nullptr;
    auto rows = connection_.copy_out(rows_statement(table, store, part), fmt::format("read {}", store.from));
    while (const auto line = rows.next()) {
        arena_.clear();
        const Row values = parse_copy_line(without_newline(*line), store.values.size() + 1, arena_);
        const Row compared = after_rules(store, values.subspan(1));
        if (compared.empty()) continue;
        const std::size_t range = found ? *found : range_of(key_digest(table, compared, arena_), table.ranges);
        if (table.sample.empty() || std::ranges::binary_search(table.sample, range))
            use(values[0].text(), range, compared);
    }
}

std::uint64_t RowReader::sums(const ComparedTable& table, const RowStore& store, const Part& part,
                              std::vector<RangeSum>& sums) {
    std::uint64_t rows = 0;
    if (table.by_us) {
        read(table, store, part, [&](std::string_view, std::size_t range, Row values) {
            sums[range].add({1, digest_of(values)});
            ++rows;
        });
        return rows;
    }
    const auto found = connection_.query(sums_statement(table, store, part), {}, {3});
    for (int row = 0; row < found.rows(); ++row) {
        const RangeSum sum{static_cast<std::uint64_t>(found.integer(row, 1)), modulo_64(found.text(row, 2))};
        sums.at(static_cast<std::size_t>(found.integer(row, 0))).add(sum);
        rows += sum.rows;
    }
    return rows;
}

void RowReader::digests(const ComparedTable& table, const RowStore& store, std::span<const std::size_t> ranges,
                        const std::optional<Pages>& pages, const UseDigest& use) {
    if (table.by_us) {
        std::optional<Part> part;
        if (pages) part = *pages;
        if (finds_ranges(table) && ranges.size() == 1) part = ranges[0];
        return read(table, store, part, [&](std::string_view ctid, std::size_t range, Row values) {
            if (!std::ranges::binary_search(ranges, range)) return;
            const std::uint64_t digest = digest_of(values);
            use(key_text(table, key_of(table, values, arena_), digest), digest, std::string(ctid));
        });
    }
    auto rows =
        connection_.copy_out(digests_statement(table, store, ranges, pages), fmt::format("read {}", store.from));
    while (const auto line = rows.next()) {
        arena_.clear();
        const Row values = parse_copy_line(without_newline(*line), 2 + table.key.size(), arena_);
        const std::uint64_t digest = modulo_64(values[1].text());
        use(key_text(table, values.subspan(2), digest), digest, std::string(values[0].text()));
    }
}

std::optional<RowReader::Texts> RowReader::row(const RowStore& store, const std::string& ctid) {
    const sql::Param place(ctid);
    return one_row(store, row_statement(store), std::span(&place, 1));
}

std::optional<RowReader::Texts> RowReader::row_by_key(const RowStore& store, const Texts& key) {
    const std::vector<sql::Param> params(key.begin(), key.end());
    return one_row(store, row_by_key_statement(store), params);
}

std::optional<RowReader::Texts> RowReader::one_row(const RowStore& store, const std::string& statement,
                                                   std::span<const sql::Param> params) {
    const int width = static_cast<int>(store.values.size());
    const auto found = connection_.query(statement, params, {width, 0, 1});
    if (found.rows() == 0) return std::nullopt;
    arena_.clear();
    const auto values = arena_.make<Value>(store.values.size());
    for (int column = 0; column < width; ++column) {
        const auto text = found.get(0, column);
        if (text) values[static_cast<std::size_t>(column)] = Value(*text);
    }
    const Row compared = after_rules(store, values);
    if (compared.empty()) return std::nullopt;
    Texts texts;
    for (const Value& value : compared)
        texts.push_back(value.is_null() ? std::nullopt : std::optional<std::string>(value.text()));
    return texts;
}

}  // namespace pgsluice
