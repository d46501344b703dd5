// What rules are for when a table is altered: columns are known by their numbers, over restarts as well.
#include <doctest/doctest.h>

#include <map>

#include "stream/group/schema_history.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

const std::string mask_rule = "parameters: {type: mask}";
const std::string email_rule = "{type: transform, column: email, " + mask_rule + "}";
const std::string email_old = "{type: transform, column: email_old, " + mask_rule + "}";

std::string rules_text(const std::string& list) { return "tables: {t: [" + list + "]}"; }
Position at(std::uint64_t commit) { return {Lsn{commit}, 1}; }

using Numbered = std::vector<std::pair<int, std::string>>;

RelationPtr table(const Numbered& named, const std::string& name = "t") {
    std::vector<Column> columns;
    for (const auto& [number, column_name] : named) {
        columns.push_back(column(column_name, text_type));
        columns.back().number = static_cast<std::int16_t>(number);
    }
    Relation made = *relation("t", std::move(columns));
    made.table = name;
    return std::make_shared<const Relation>(std::move(made));
}

const Numbered names_before{{1, "id"}, {2, "email"}};
const Numbered names_after_rename{{1, "id"}, {2, "email_old"}, {3, "email"}};

// A worker with what it keeps between its sessions.
class Worker {
   public:
    explicit Worker(const std::string& file) { start(file); }

    void start(const std::string& file, Position applied = {}) {
        ruleset_ = load(file);
        std::map<Oid, TableHistory> seen;
        for (const auto& [oid, json] : kept_) seen[oid] = decode_seen_table(json);
        ruleset_->recall(std::move(seen), [this](Oid oid, const TableHistory* table) {
            if (table == nullptr)
                kept_.erase(oid);
            else
                kept_[oid] = encode(*table);
        });
        ruleset_->applied(applied);
    }
    Ruleset& ruleset() { return *ruleset_; }
    // What it says when rows come so.
    std::string meets(const RelationPtr& relation, std::uint64_t commit) {
        return error_of([&] { (void)ruleset_->accept(relation, at(commit)); });
    }
    // A row of its columns' names, as the sink gets it.
    std::string row(const RelationPtr& relation, std::uint64_t commit) {
        const auto compiled = ruleset_->accept(relation, at(commit));
        Values values;
        for (const Column& column : relation->columns) values.push_back(text(column.name));
        Change change = insert(relation, values);
        Arena arena;
        if (!compiled->apply(change, arena)) return "nothing";
        std::string line;
        for (const Value& value : change.new_row) line += std::string(value.text()) + " ";
        return line;
    }
    [[nodiscard]] std::string kept() const { return kept_.empty() ? "" : kept_.begin()->second; }

   private:
    std::map<Oid, std::string> kept_;
    std::unique_ptr<Ruleset> ruleset_;
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a renamed column with a rule stops the worker in every session, until the rules name it") {
    Worker worker(rules_text(email_rule));
    CHECK(worker.meets(table(names_before), 1).empty());
    for (int session = 0; session < 3; ++session) {
        CHECK(has(worker.meets(table(names_after_rename), 5), "its column 'email' is now named 'email_old'"));
        worker.start(rules_text(email_rule), at(3));
    }
    // The rows of the old definition that come again have no column of the new name.
    worker.start(rules_text(email_rule + "," + email_old), at(3));
    CHECK(worker.row(table(names_before), 4) == "id e***l ");
    CHECK(worker.row(table(names_after_rename), 5) == "id e*******d e***l ");
    worker.start(rules_text(email_rule + "," + email_old), at(3));
    CHECK(worker.row(table(names_before), 4) == "id e***l ");
    CHECK(worker.row(table(names_after_rename), 5) == "id e*******d e***l ");
}

TEST_CASE("a rule for a column that no definition has is refused, before and after a rename") {
    Worker worker(rules_text(email_rule));
    CHECK(worker.meets(table(names_before), 1).empty());
    CHECK_FALSE(worker.meets(table(names_after_rename), 5).empty());
    worker.start(rules_text(email_rule + "," + email_old + ", {type: exclude_column, column: emial}"), at(3));
    CHECK(has(worker.meets(table(names_before), 4), "has no column 'emial'"));
    worker.start(rules_text(email_rule + "," + email_old), at(3));
    CHECK(worker.row(table(names_after_rename), 5) == "id e*******d e***l ");
    CHECK(has(worker.meets(table({{1, "id"}, {2, "email_old"}}), 6), "has no column 'email'"));
}

TEST_CASE("a definition that the replicator sends counts as one") {
    const auto ruleset = load(rules_text(email_rule + "," + email_old));
    CHECK(has(error_of([&] { (void)ruleset->accept(table(names_before), at(1)); }), "has no column 'email_old'"));
    const std::vector<RelationPtr> now{table(names_after_rename)};
    CHECK(ruleset->know(now).empty());
    CHECK(error_of([&] { (void)ruleset->accept(table(names_before), at(1)); }).empty());
    CHECK(error_of([&] { (void)ruleset->accept(table(names_after_rename), at(2)); }).empty());
}

TEST_CASE("a plain rename stops the worker; the rows before it pass as they did once the rules name the new one") {
    const Numbered renamed{{1, "id"}, {2, "mail"}};
    const std::string mail = "{type: transform, column: mail, " + mask_rule;
    Worker worker(rules_text(email_rule));
    CHECK(worker.row(table(names_before), 1) == "id e***l ");
    CHECK(has(worker.meets(table(renamed), 5), "has no column 'email'"));
    // Nor may a definition without numbers do without the rule's column.
    CHECK(has(worker.meets(table({{0, "id"}, {0, "mail"}}), 5), "has no column 'email'"));
    worker.start(rules_text(mail + "}"), at(3));
    CHECK(has(worker.meets(table(names_before), 4), "column 'email' had a rule then"));
    worker.start(rules_text(mail + ", was: email}"), at(3));
    CHECK(worker.row(table(names_before), 4) == "id e***l ");
    CHECK(worker.row(table(renamed), 5) == "id m**l ");
    worker.start(rules_text(mail + ", was: email}"), at(5));
    CHECK(worker.row(table(renamed), 6) == "id m**l ");
}

TEST_CASE("two columns with rules that swap names stop the worker, strict or not, until the rules say so") {
    const Numbered before{{1, "id"}, {2, "email"}, {3, "name"}};
    const Numbered swapped{{1, "id"}, {2, "name"}, {3, "email"}};
    const std::string keep = "{type: keep, column: id}, ";
    const std::string strict = "mode: strict\n";
    const std::string old_rules = strict + rules_text(keep + email_rule + ", {type: keep, column: name}");
    Worker worker(old_rules);
    CHECK(worker.row(table(before), 1) == "id e***l name ");
    for (int session = 0; session < 2; ++session) {
        CHECK(has(worker.meets(table(swapped), 5), "add was: email to it"));
        worker.start(old_rules, at(3));
    }
    const std::string mask_name = "{type: transform, column: name, was: email, " + mask_rule + "}";
    const std::string new_rules = strict + rules_text(keep + mask_name + ", {type: keep, column: email, was: name}");
    worker.start(strict + rules_text(keep + mask_name + ", {type: keep, column: email}"), at(3));
    CHECK_FALSE(worker.meets(table(before), 4).empty());  // what is 'name' there?
    worker.start(new_rules, at(3));
    CHECK(worker.row(table(before), 4) == "id e***l name ");
    CHECK(worker.row(table(swapped), 5) == "id n**e email ");
    worker.start(new_rules, at(5));
    CHECK(worker.row(table(swapped), 6) == "id n**e email ");
}

TEST_CASE("a column that takes the name of a dropped one stops the worker, also when that was dropped long ago") {
    const Numbered before{{1, "id"}, {2, "email"}, {3, "name"}};
    const std::string file = rules_text(email_rule + ", {type: keep, column: name}");
    Worker worker(file);
    CHECK(worker.meets(table(before), 1).empty());
    CHECK(has(worker.meets(table({{1, "id"}, {2, "name"}}), 5), "has no column 'email'"));
    const std::string keep = rules_text("{type: keep, column: name}");
    worker.start(keep, at(4));
    CHECK(has(worker.meets(table({{1, "id"}, {2, "name"}}), 5), "is now named 'name'"));
    worker.start(rules_text(email_rule), at(4));
    CHECK(worker.meets(table({{1, "id"}, {2, "email"}}), 6).empty());
    worker.start(keep, at(7));
    CHECK(has(worker.meets(table({{1, "id"}, {2, "name"}}), 8), "is now named 'name'"));
    worker.start(rules_text("{type: keep, column: name, was: email}"), at(7));
    CHECK(worker.meets(table({{1, "id"}, {2, "name"}}), 8).empty());
}

TEST_CASE("columns without rules may be renamed, dropped and added, unless a filter would judge another column") {
    Worker worker(rules_text(email_rule));
    CHECK(worker.meets(table({{1, "a"}, {2, "email"}, {3, "c"}}), 1).empty());
    CHECK(worker.meets(table({{1, "b"}, {2, "email"}, {4, "d"}}), 2).empty());
    CHECK(worker.meets(table({{1, "x"}, {2, "email"}, {4, "b"}}), 3).empty());
    Worker filters(rules_text("{type: filter, column: tenant, parameters: {operator: eq, value: a}}"));
    CHECK(filters.meets(table({{1, "tenant"}, {2, "x"}}), 1).empty());
    CHECK(has(filters.meets(table({{2, "tenant"}}), 2), "is now named 'tenant'"));
}

TEST_CASE("a column without a number is known by its name and place") {
    Worker worker(rules_text(email_rule));
    CHECK(worker.meets(table({{0, "id"}, {0, "email"}}), 1).empty());
    worker.start(rules_text(email_rule));
    CHECK(has(worker.meets(table(names_after_rename), 2), "what was 'email' may now be 'email_old'"));
    // Numbers learnt before stay known when a definition comes without them.
    Worker late(rules_text(email_rule + ", {type: keep, column: id}"));
    CHECK(late.meets(table(names_before), 1).empty());
    late.start(rules_text(email_rule + ", {type: keep, column: id}"));
    CHECK(late.meets(table({{0, "id"}, {0, "email"}}), 1).empty());
    CHECK(has(late.meets(table({{1, "email"}, {2, "id"}}), 2), "its column"));
}

TEST_CASE("a table with rules that is given another name stops the worker in every session") {
    Worker worker(rules_text(email_rule));
    CHECK(worker.meets(table(names_before), 1).empty());
    for (int session = 0; session < 2; ++session) {
        CHECK(has(worker.meets(table(names_before, "people"), 5), "its name was 'public.t' before"));
        worker.start(rules_text(email_rule), at(3));
    }
    const std::string people = "tables: {people: [" + email_rule + "]}";
    worker.start(people, at(3));
    CHECK(has(worker.meets(table(names_before), 4),
              "rows from before it was renamed to 'public.people' are still to come"));
    worker.start("tables: {people: [" + email_rule + "], t: [" + email_rule + "]}", at(3));
    CHECK(worker.row(table(names_before), 4) == "id e***l ");
    CHECK(worker.row(table(names_before, "people"), 5) == "id e***l ");
}

TEST_CASE("rules may be taken off, and what was kept for them goes") {
    Worker worker(rules_text(email_rule));
    CHECK(worker.meets(table(names_before), 1).empty());
    CHECK_FALSE(worker.kept().empty());
    worker.start("");
    CHECK(worker.row(table(names_before), 2) == "id email ");
    CHECK(worker.kept().empty());
}

TEST_CASE("only definitions that rows may come with again are kept") {
    Worker worker(rules_text(email_rule));
    for (int version = 1; version <= 20; ++version) {
        const auto position = static_cast<std::uint64_t>(10 * version);
        CHECK(worker.meets(table({{1, "id"}, {2, "email"}, {2 + version, "x"}}), position).empty());
        if (version % 2 == 0) worker.ruleset().applied(at(position));
    }
    REQUIRE_FALSE(worker.kept().empty());
    CHECK(decode_seen_table(worker.kept()).accepted.size() <= 3);
    CHECK(decode_seen_table(worker.kept()).accepted.back().names.size() == 22);
}

TEST_CASE("a partition that is met first after a rename stops the worker, too") {
    const auto partition = [](Oid oid, const Numbered& columns) {
        Relation made = *table(columns, "p" + std::to_string(oid));
        made.oid = oid;
        made.ancestors = {{"public", "t"}};
        return std::make_shared<const Relation>(made);
    };
    Worker worker(rules_text(email_rule));
    CHECK(worker.meets(partition(1, names_before), 1).empty());
    for (int session = 0; session < 2; ++session) {
        const auto made = partition(2, names_after_rename);
        CHECK(has(worker.meets(made, 5), "what was 'email' may now be 'email_old'"));
        worker.start(rules_text(email_rule));
    }
    worker.start(rules_text(email_rule + "," + email_old));
    CHECK(worker.row(partition(2, names_after_rename), 5) == "id e*******d e***l ");
    // An added column comes last, and one that was attached may have the columns in another order.
    Worker adding(rules_text(email_rule));
    CHECK(adding.meets(partition(1, names_before), 1).empty());
    CHECK(adding.meets(partition(2, {{1, "id"}, {2, "email"}, {3, "x"}}), 2).empty());
    CHECK(adding.meets(partition(3, {{1, "email"}, {2, "id"}}), 3).empty());
}

TEST_CASE("a table that was altered before its first row is compared with what the files were checked against") {
    const std::vector<RelationPtr> known{table(names_before)};
    Worker worker(rules_text(email_rule));
    CHECK(worker.ruleset().know(known).empty());
    for (int session = 0; session < 2; ++session) {
        CHECK(has(worker.meets(table(names_after_rename), 5), "its column 'email' is now named 'email_old'"));
        worker.start(rules_text(email_rule));
    }
    // Rows that are older than what the replicator knows are no rename back.
    const std::string both = rules_text(email_rule + "," + email_old);
    const std::vector<RelationPtr> later{table(names_after_rename)};
    Worker late(both);
    CHECK(late.ruleset().know(later).empty());
    CHECK(late.row(table(names_before), 1) == "id e***l ");
    CHECK(late.row(table(names_after_rename), 2) == "id e*******d e***l ");
    // A column that the files know by its later name is hidden under the one before, too, or nothing passes.
    Worker only_new(rules_text(email_old));
    CHECK(only_new.ruleset().know(later).empty());
    CHECK_FALSE(only_new.meets(table(names_before), 1).empty());
    Worker renamed_table("tables: {people: [" + email_rule + "]}");
    const std::vector<RelationPtr> people{table(names_before, "people")};
    CHECK(renamed_table.ruleset().know(people).empty());
    CHECK(has(renamed_table.meets(table(names_before), 1), "have it only as 'public.people'"));
    Worker both_names("tables: {people: [" + email_rule + "], t: [" + email_rule + "]}");
    CHECK(both_names.ruleset().know(people).empty());
    CHECK(both_names.row(table(names_before), 1) == "id e***l ");
    CHECK(both_names.row(table(names_before, "people"), 2) == "id e***l ");
}
