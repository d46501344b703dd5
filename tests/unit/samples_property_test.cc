// Random transactions over tables that refer to each other: after each, the target holds exactly the rows that the
// sample keeps, and none refers to one that is not there.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

using Texts = std::vector<std::string>;  // a row; "" is NULL
using Rows = std::map<Texts, Texts>;     // by key

constexpr const char* a_sample = R"(
secret_env: PGSLUICE_SAMPLE_SECRET
tables:
  customers: [{type: sample, column: id, parameters: {percent: 45}}]
  items: [{type: transform, column: note, parameters: {type: mask}}]
)";

struct Table {
    std::string name;
    std::size_t key;  // its first columns
    Texts columns;
    RelationPtr relation{};
    Rows source{};
    Rows target{};

    void define(ReplicaIdentity identity) {
        std::vector<Column> made;
        for (std::size_t i = 0; i < columns.size(); ++i)
            made.push_back(column(columns[i], columns[i] == "note" ? text_type : integer_type, i < key));
        relation = rules_test::relation(name, std::move(made), identity);
    }
    [[nodiscard]] Texts key_of(const Texts& row) const { return {row.begin(), row.begin() + static_cast<long>(key)}; }
};

ColumnReference refers(const std::string& table, const std::string& column, const std::string& to_table,
                       const std::string& to_column, const std::string& constraint) {
    return {{"public", table}, column, {"public", to_table}, to_column, true, constraint};
}

class Shop {
   public:
    Shop(unsigned seed, ReplicaIdentity identity) : engine_(seed), identity_(identity), ruleset_(load(a_sample)) {
        for (Table* table : {&customers_, &orders_, &items_, &transfers_}) table->define(identity);
        ruleset_->refer(
            {{refers("orders", "customer", "customers", "id", "a"),
              refers("items", "customer", "orders", "customer", "b"), refers("items", "no", "orders", "no", "b"),
              refers("transfers", "source", "customers", "id", "c"),
              refers("transfers", "target", "customers", "id", "d")},
             {customers_.relation, orders_.relation, items_.relation, transfers_.relation}});
    }

    void step() {
        switch (below(8)) {
            case 0:
            case 1:
                return put(customers_, {number(), note()});
            case 2:
            case 3:
                return with(customers_, [&](const Texts& one) { put(orders_, {one[0], number(), note()}); });
            case 4:
                return with(orders_, [&](const Texts& one) { put(items_, {one[0], one[1], number(), note()}); });
            case 5:
                return put(transfers_, {number(), reference(), reference(), note()});
            case 6:
                return move();
            default:
                return remove();
        }
    }

    void check() {
        CHECK(customers_.target == expected(customers_, {0}));
        CHECK(orders_.target == expected(orders_, {0}));
        CHECK(items_.target == expected(items_, {0}));
        CHECK(transfers_.target == expected(transfers_, {1, 2}));
        for (const auto& [key, row] : orders_.target) CHECK(customers_.target.contains({row[0]}));
        for (const auto& [key, row] : items_.target) CHECK(orders_.target.contains({row[0], row[1]}));
        for (const auto& [key, row] : transfers_.target)
            for (const std::size_t i : {std::size_t{1}, std::size_t{2}})
                CHECK((row[i].empty() || customers_.target.contains({row[i]})));
    }
    [[nodiscard]] bool has_both() const {
        return !items_.target.empty() && items_.target.size() < items_.source.size();
    }

   private:
    std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_); }
    std::string number() { return std::to_string(below(12)); }
    std::string note() { return fmt::format("note{}", below(1000)); }
    std::string reference() {
        if (customers_.source.empty() || below(5) == 0) return "";
        return one_of(customers_)[0];
    }
    const Texts& one_of(const Table& table) {
        return std::next(table.source.begin(), static_cast<long>(below(table.source.size())))->second;
    }
    template <typename Use>
    void with(Table& table, Use use) {
        if (table.source.empty()) return;
        const Texts row = one_of(table);
        use(row);
    }

    // An insert, or an update of the row that is there.
    void put(Table& table, Texts row) {
        const auto there = table.source.find(table.key_of(row));
        if (there == table.source.end()) return send(table, Op::insert, {}, std::move(row));
        const Texts old = there->second;
        send(table, Op::update, old, std::move(row));
    }

    // Of a key, with those who refer to it; or of a reference.
    void move() {
        if (below(2) == 0)
            return with(orders_, [&](const Texts& one) { move_orders(one, {one_of(customers_)[0], one[1], one[2]}); });
        with(customers_, [&](const Texts& one) {
            const std::string id = number();
            if (customers_.source.contains({id})) return;
            send(customers_, Op::update, one, {id, one[1]});
            for (const Texts& order : all(orders_, [&](const Texts& row) { return row[0] == one[0]; }))
                move_orders(order, {id, order[1], order[2]});
            for (const Texts& row : all(transfers_, [&](const Texts& r) { return r[1] == one[0] || r[2] == one[0]; }))
                send(transfers_, Op::update, row,
                     {row[0], row[1] == one[0] ? id : row[1], row[2] == one[0] ? id : row[2], row[3]});
        });
    }
    void move_orders(const Texts& old, const Texts& now) {
        if (orders_.source.contains({now[0], now[1]})) return;
        send(orders_, Op::update, old, now);
        for (const Texts& item : all(items_, [&](const Texts& r) { return r[0] == old[0] && r[1] == old[1]; }))
            send(items_, Op::update, item, {now[0], now[1], item[2], item[3]});
    }

    void remove() {
        if (below(2) == 0) return with(orders_, [&](const Texts& one) { remove_order(one); });
        with(customers_, [&](const Texts& one) {
            for (const Texts& order : all(orders_, [&](const Texts& row) { return row[0] == one[0]; }))
                remove_order(order);
            for (const Texts& row : all(transfers_, [&](const Texts& r) { return r[1] == one[0] || r[2] == one[0]; }))
                send(transfers_, Op::del, row, {});
            send(customers_, Op::del, one, {});
        });
    }
    void remove_order(const Texts& order) {
        for (const Texts& item : all(items_, [&](const Texts& r) { return r[0] == order[0] && r[1] == order[1]; }))
            send(items_, Op::del, item, {});
        send(orders_, Op::del, order, {});
    }
    template <typename Which>
    static std::vector<Texts> all(const Table& table, Which which) {
        std::vector<Texts> found;
        for (const auto& [key, row] : table.source)
            if (which(row)) found.push_back(row);
        return found;
    }

    // As the log has it with this replica identity.
    void send(Table& table, Op op, const Texts& old, const Texts& now) {
        if (op != Op::insert) table.source.erase(table.key_of(old));
        if (op != Op::del) table.source[table.key_of(now)] = now;
        const bool full = identity_ == ReplicaIdentity::full;
        const bool key_changed = op == Op::del || (op == Op::update && table.key_of(old) != table.key_of(now));
        const OldRow kind = op == Op::insert ? OldRow::none
                            : full           ? OldRow::full
                            : key_changed    ? OldRow::key
                                             : OldRow::none;
        const Values new_row = values_of(table, now, false);
        const Values old_row = values_of(table, old, kind == OldRow::key);
        Change change;
        change.op = op;
        change.relation = table.relation.get();
        change.old_kind = kind;
        change.new_row = new_row;
        if (kind != OldRow::none) change.old_row = old_row;
        Arena arena;
        if (ruleset_->compile(table.relation)->apply(change, arena)) take(table, change);
    }
    static Values values_of(const Table& table, const Texts& row, bool key_only) {
        Values made;
        for (std::size_t i = 0; i < row.size(); ++i)
            made.push_back((key_only && i >= table.key) || row[i].empty() ? null : text(row[i]));
        return made;
    }

    // As a sink does.
    static void take(Table& table, const Change& change) {
        if (change.op == Op::del) {
            table.target.erase(table.key_of(texts_of(change.old_row)));
            return;
        }
        const Texts row = texts_of(change.new_row);
        const Texts old = change.old_kind == OldRow::none ? row : texts_of(change.old_row);
        if (change.op == Op::insert) CHECK_FALSE(table.target.contains(table.key_of(row)));
        if (change.op == Op::update && !change.upsert) CHECK(table.target.contains(table.key_of(old)));
        if (change.op == Op::update) table.target.erase(table.key_of(old));
        table.target[table.key_of(row)] = row;
    }
    static Texts texts_of(Row row) {
        Texts made;
        for (const Value& value : row) made.emplace_back(value.is_null() ? "" : value.text());
        return made;
    }

    // The rows whose customers, in these columns, are kept.
    Rows expected(const Table& table, const std::vector<std::size_t>& references) {
        Rows rows;
        for (const auto& [key, row] : table.source) {
            const bool all_kept = std::ranges::all_of(
                references, [&, &values = row](std::size_t i) { return values[i].empty() || is_kept(values[i]); });
            if (all_kept) rows[key] = &table == &items_ ? masked(row) : row;
        }
        return rows;
    }
    bool is_kept(const std::string& id) {
        const Values row{text(id), null};
        Change change = insert(customers_.relation, row);
        Arena arena;
        return ruleset_->compile(customers_.relation)->apply(change, arena);
    }
    static Texts masked(Texts row) {
        std::string& note = row.back();
        std::fill(note.begin() + 1, note.end() - 1, '*');
        return row;
    }

    std::mt19937 engine_;
    const ReplicaIdentity identity_;
    std::unique_ptr<Ruleset> ruleset_;
    Table customers_{"customers", 1, {"id", "note"}};
    Table orders_{"orders", 2, {"customer", "no", "note"}};
    Table items_{"items", 3, {"customer", "no", "line", "note"}};
    Table transfers_{"transfers", 1, {"id", "source", "target", "note"}};
};

}  // namespace

TEST_CASE("after any transactions the target holds the sampled rows, and all that they refer to") {
    setenv("PGSLUICE_SAMPLE_SECRET", "a secret of this test", 1);
    for (const ReplicaIdentity identity : {ReplicaIdentity::default_key, ReplicaIdentity::full}) {
        bool saw_both = false;
        for (unsigned seed = 0; seed < 30; ++seed) {
            CAPTURE(seed);
            Shop shop(seed, identity);
            for (int i = 0; i < 200; ++i) {
                shop.step();
                shop.check();
                saw_both = saw_both || shop.has_both();
            }
        }
        CHECK(saw_both);
    }
}
