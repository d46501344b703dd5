// Random tables, random transactions, random cuts: what the set-based way leaves behind is what row by row leaves
// behind, and both are what the source holds.
//
// PGSLUICE_SEED runs one case again; PGSLUICE_CASES sets how many are run: 500, and 2000 under a sanitizer.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include "tests/live/postgres_sink_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr std::size_t column_count = 6;  // id, u1, u2, u3, v, big
constexpr const char* column_names[] = {"id", "u1", "u2", "u3", "v", "big"};
using ModelRow = std::array<std::optional<std::string>, column_count>;

// What a case's table is like, at the source and at the target.
struct TableKind {
    std::vector<std::size_t> key;  // columns of the replica identity; empty: none
    ReplicaIdentity identity = ReplicaIdentity::default_key;
    std::vector<std::vector<std::size_t>> unique;  // besides the primary key
    std::vector<bool> deferrable;                  // one per unique constraint
    bool primary = false;                          // id is the primary key
    bool always = false;                           // id is GENERATED ALWAYS on the target
    bool target_key = true;                        // the target has the primary key too
    bool extra = false;                            // columns of the target's own, in another order
};

class Case {
   public:
    explicit Case(unsigned seed) : random_(seed), name_("t" + std::to_string(seed)) {
        kind_ = make_kind();
        sets_ = relation("sets");
        rows_ = relation("rows");
    }

    std::string create(const std::string& schema) {
        std::string sql = "CREATE TABLE " + schema + "." + name_ + " (";
        if (kind_.extra) sql += "own int DEFAULT 7, twice text GENERATED ALWAYS AS (coalesce(v, '') || 'x') STORED, ";
        std::vector<std::string> columns;
        for (std::size_t c = 0; c < column_count; ++c) {
            std::string text = std::string(column_names[c]) + (c == 0 ? " int" : " text");
            if (c == 0 && kind_.always) text += " GENERATED ALWAYS AS IDENTITY";
            if (c != 0 && std::find(kind_.key.begin(), kind_.key.end(), c) != kind_.key.end() &&
                kind_.identity == ReplicaIdentity::index)
                text += " NOT NULL";
            columns.push_back(text);
        }
        if (kind_.extra) std::reverse(columns.begin(), columns.end());
        for (const auto& column : columns) sql += column + ", ";
        if (kind_.primary && kind_.target_key) sql += "PRIMARY KEY (id), ";
        for (std::size_t u = 0; u < kind_.unique.size(); ++u) {
            sql += "UNIQUE (";
            for (const std::size_t c : kind_.unique[u]) sql += std::string(column_names[c]) + ",";
            sql.back() = ')';
            if (kind_.deferrable[u]) sql += " DEFERRABLE INITIALLY DEFERRED";
            sql += ", ";
        }
        sql.resize(sql.size() - 2);
        return sql + ")";
    }

    // Some transactions, cut into batches at random, to both sinks.
    void run(Sink& sets, Sink& rows, SinkFeed& set_feed, SinkFeed& row_feed) {
        const int transactions = pick(1, 6);
        for (int t = 0; t < transactions; ++t) {
            int changes = pick(1, 12);
            while (changes-- > 0) {
                change(set_feed, row_feed);
                if (pick(1, 8) == 1) {
                    ++batches_;
                    sets.apply(set_feed.piece());
                    rows.apply(row_feed.piece());
                }
            }
            settle_deferred(set_feed, row_feed);
            if (pick(1, 3) == 1 || t + 1 == transactions) {
                ++batches_;
                sets.apply(set_feed.complete());
                rows.apply(row_feed.complete());
            } else {
                set_feed.next_transaction();
                row_feed.next_transaction();
            }
        }
    }

    std::vector<std::string> expected() const {
        std::vector<std::string> lines;
        for (const ModelRow& row : model_) {
            std::string line;
            for (const auto& value : row) line += (line.empty() ? "" : "|") + value.value_or("~");
            lines.push_back(line);
        }
        std::sort(lines.begin(), lines.end());
        return lines;
    }

    std::string query(const std::string& schema) const {
        std::string sql = "SELECT concat_ws('|'";
        for (const char* column : column_names) sql += std::string(", coalesce(") + column + "::text, '~')";
        return sql + ") AS line FROM " + schema + "." + name_;
    }

    const std::string& name() const { return name_; }
    std::size_t batches() const { return batches_; }
    std::vector<RelationPtr> relations() const { return {sets_, rows_}; }

   private:
    int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
    bool chance(int one_in) { return pick(1, one_in) == 1; }

    TableKind make_kind() {
        TableKind kind;
        kind.primary = !chance(4);
        const int constraints = pick(0, 3);
        for (int u = 0; u < constraints; ++u) {
            std::vector<std::size_t> columns{static_cast<std::size_t>(u + 1)};
            if (chance(4)) columns.push_back(4);
            kind.unique.push_back(columns);
            kind.deferrable.push_back(chance(6));
        }
        switch (pick(1, 4)) {
            case 1:
                kind.identity = ReplicaIdentity::full;
                for (std::size_t c = 0; c < column_count; ++c) kind.key.push_back(c);
                break;
            case 2:
                if (!kind.unique.empty() && !kind.deferrable[0]) {
                    kind.identity = ReplicaIdentity::index;
                    kind.key = kind.unique[0];
                    break;
                }
                [[fallthrough]];
            default:
                if (kind.primary) kind.key = {0};
        }
        kind.always = chance(4);
        kind.extra = chance(3);
        kind.target_key = !chance(6);
        return kind;
    }

    RelationPtr relation(const std::string& schema) const {
        std::vector<std::string> specs;
        for (std::size_t c = 0; c < column_count; ++c) {
            const bool key = std::find(kind_.key.begin(), kind_.key.end(), c) != kind_.key.end();
            specs.push_back(std::string(column_names[c]) + (c == 0 ? " integer" : " text") + (key ? "*" : ""));
        }
        return make_relation(schema, name_, specs, kind_.identity);
    }

    ModelRow random_row() {
        ModelRow row;
        row[0] = std::to_string(pick(1, 12));
        for (std::size_t c = 1; c < 4; ++c) {
            const bool may_be_null = kind_.identity != ReplicaIdentity::index ||
                                     std::find(kind_.key.begin(), kind_.key.end(), c) == kind_.key.end();
            if (!may_be_null || !chance(5)) row[c] = std::to_string(pick(1, 9));
        }
        row[4] = chance(9) && kind_.identity != ReplicaIdentity::index
                     ? std::nullopt
                     : std::optional<std::string>(chance(5) ? "" : "v");
        row[5] = "big" + std::to_string(pick(1, 3));
        return row;
    }

    bool clashes(const ModelRow& row, std::size_t self, const std::vector<std::size_t>& columns) const {
        for (const std::size_t c : columns) {
            if (!row[c]) return false;
        }
        for (std::size_t i = 0; i < model_.size(); ++i) {
            if (i != self &&
                std::all_of(columns.begin(), columns.end(), [&](std::size_t c) { return model_[i][c] == row[c]; }))
                return true;
        }
        return false;
    }

    bool allowed(const ModelRow& row, std::size_t self) const {
        if (kind_.primary && clashes(row, self, {0})) return false;
        for (std::size_t u = 0; u < kind_.unique.size(); ++u) {
            if (!kind_.deferrable[u] && clashes(row, self, kind_.unique[u])) return false;
        }
        return true;
    }

    static Values values(const ModelRow& row) {
        Values out;
        for (const auto& value : row) out.push_back(value ? Value(*value) : Value());
        return out;
    }

    Values old_values(const ModelRow& row) const {
        if (kind_.identity == ReplicaIdentity::full) return values(row);
        Values out(column_count);
        for (const std::size_t c : kind_.key) out[c] = row[c] ? Value(*row[c]) : Value();
        return out;
    }

    template <typename Do>
    void both(SinkFeed& set_feed, SinkFeed& row_feed, Do&& act) {
        act(set_feed, sets_);
        act(row_feed, rows_);
    }

    void change(SinkFeed& set_feed, SinkFeed& row_feed) {
        const int what = pick(1, 20);
        if (what == 1 && chance(2)) {
            model_.clear();
            both(set_feed, row_feed, [&](SinkFeed& feed, const RelationPtr& table) { feed.truncate({table}); });
        } else if (what <= 8 || model_.empty() || kind_.key.empty()) {
            insert(set_feed, row_feed);
        } else if (what <= 15) {
            update(set_feed, row_feed, static_cast<std::size_t>(pick(0, static_cast<int>(model_.size()) - 1)));
        } else {
            remove(set_feed, row_feed, static_cast<std::size_t>(pick(0, static_cast<int>(model_.size()) - 1)));
        }
    }

    void insert(SinkFeed& set_feed, SinkFeed& row_feed) {
        ModelRow row = random_row();
        if (!model_.empty() && !kind_.primary && kind_.unique.empty() && chance(2))
            row = model_.front();  // identical rows
        if (!allowed(row, model_.size())) return;
        model_.push_back(row);
        both(set_feed, row_feed, [&](SinkFeed& feed, const RelationPtr& table) { feed.insert(table, values(row)); });
    }

    void update(SinkFeed& set_feed, SinkFeed& row_feed, std::size_t at) {
        const ModelRow old = model_[at];
        ModelRow row = random_row();
        for (std::size_t c = 0; c < column_count; ++c) {
            if (!chance(3)) row[c] = old[c];
        }
        if (!allowed(row, at)) return;
        model_[at] = row;
        Values sent = values(row);
        // An out-of-line value that stays the same is not sent.
        if (row[5] == old[5] && chance(2)) sent[5] = unchanged_value;
        const bool moved =
            std::any_of(kind_.key.begin(), kind_.key.end(), [&](std::size_t c) { return row[c] != old[c]; });
        OldRow kind = OldRow::none;
        if (kind_.identity == ReplicaIdentity::full) {
            kind = OldRow::full;
        } else if (moved) {
            kind = OldRow::key;
        }
        both(set_feed, row_feed,
             [&](SinkFeed& feed, const RelationPtr& table) { feed.update(table, kind, old_values(old), sent); });
    }

    void remove(SinkFeed& set_feed, SinkFeed& row_feed, std::size_t at) {
        const ModelRow old = model_[at];
        model_.erase(model_.begin() + static_cast<std::ptrdiff_t>(at));
        both(set_feed, row_feed, [&](SinkFeed& feed, const RelationPtr& table) {
            feed.remove(table, kind_.identity == ReplicaIdentity::full ? OldRow::full : OldRow::key, old_values(old));
        });
    }

    // A deferred constraint must hold when the transaction ends.
    void settle_deferred(SinkFeed& set_feed, SinkFeed& row_feed) {
        for (std::size_t u = 0; u < kind_.unique.size(); ++u) {
            for (std::size_t i = 0; kind_.deferrable[u] && i < model_.size();) {
                if (!clashes(model_[i], i, kind_.unique[u])) {
                    ++i;
                } else if (kind_.key.empty()) {
                    model_.clear();
                    both(set_feed, row_feed, [&](SinkFeed& feed, const RelationPtr& table) { feed.truncate({table}); });
                } else {
                    remove(set_feed, row_feed, i);
                }
            }
        }
    }

    std::mt19937 random_;
    std::string name_;
    TableKind kind_;
    RelationPtr sets_;
    RelationPtr rows_;
    std::vector<ModelRow> model_;
    std::size_t batches_ = 0;
};

unsigned number_from(const char* variable, unsigned otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

std::vector<std::string> lines(sql::Connection& connection, const std::string& query) {
    const auto result = connection.query(query, {}, {1});
    std::vector<std::string> out;
    for (int row = 0; row < result.rows(); ++row) out.push_back(result.text(row, 0));
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

TEST_CASE("set-based is row by row is the source") {
    PostgresTarget target;
    target.sql("CREATE SCHEMA sets; CREATE SCHEMA rows");
    auto options = target.options;
    options.worker = "rows";
    options.set_based = false;
    std::unique_ptr<Sink> rows;
    std::vector<RelationPtr> kept;  // a sink's relations live as long as its session
    const auto start_session = [&] {
        target.open();
        rows.reset();
        kept.clear();
        rows = make_postgres_sink(options, [](LogLevel, std::string_view) {}, {});
        rows->open();
    };
    sql::Connection look(target.options.target);
    look.exec("RESET search_path");

    const unsigned replay = number_from("PGSLUICE_SEED", 0);
    const unsigned first = replay != 0 ? replay : 1;
    const unsigned last = replay != 0 ? replay : number_from("PGSLUICE_CASES", 500);
    SinkFeed set_feed;
    SinkFeed row_feed;
    std::size_t batches = 0;
    for (unsigned seed = first; seed <= last; ++seed) {
        CAPTURE(seed);
        if ((seed - first) % 50 == 0) start_session();
        Case one(seed);
        for (const RelationPtr& relation : one.relations()) kept.push_back(relation);
        look.exec(one.create("sets") + "; " + one.create("rows"));
        one.run(*target.sink, *rows, set_feed, row_feed);
        const auto expected = one.expected();
        REQUIRE(lines(look, one.query("rows")) == expected);
        REQUIRE(lines(look, one.query("sets")) == expected);
        look.exec("DROP TABLE sets." + one.name() + ", rows." + one.name());
        set_feed.forget();
        row_feed.forget();
        batches += one.batches();
    }
    // Else nothing was compared.
    const auto fallbacks =
        static_cast<std::size_t>(std::count_if(target.log.begin(), target.log.end(), [](const auto& line) {
            return line.find("row by row: ") != std::string::npos;
        }));
    MESSAGE(batches, " batches, ", fallbacks, " of them row by row");
    CHECK((replay != 0 || fallbacks < batches / 2));
}
