// Runs the examples of rules/README.md: a block of YAML (rules, or routing), then a block of changes.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "rules/file/node.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

struct Block {
    std::string language;
    std::string text;
    int line = 0;
};

std::vector<Block> blocks() {
    std::ifstream file(PGSLUICE_SOURCE_DIR "/rules/README.md");
    std::vector<Block> out;
    bool inside = false;
    int number = 0;
    for (std::string line; std::getline(file, line);) {
        ++number;
        if (line.rfind("```", 0) == 0) {
            inside = !inside;
            if (inside) out.push_back({line.substr(3), "", number});
        } else if (inside) {
            out.back().text += line + "\n";
        }
    }
    return out;
}

ColumnType type_of(const std::string& name) {
    for (const ColumnType type : {text_type, integer_type, bigint_type, numeric_type, boolean_type, date_type,
                                  uuid_type, plain_json_type, jsonb_type})
        if (name == type.name) return type;
    REQUIRE_MESSAGE(name == "timestamptz", name);
    return timestamptz_type;
}

// "users.email"
ColumnReference reference(const std::string& table, const std::string& column, const std::string& to) {
    const auto dot = to.find('.');
    return {{"public", table}, column, {"public", to.substr(0, dot)}, to.substr(dot + 1)};
}

// "table users (id integer key, email text) full", "table orders (id integer key, buyer text references users.email)"
RelationPtr read_table(const std::string& line, std::vector<ColumnReference>& references) {
    const std::string table = line.substr(6, line.find('(') - 7);
    const auto open = line.find('(');
    const auto close = line.find(')');
    std::vector<Column> columns;
    std::istringstream list(line.substr(open + 1, close - open - 1));
    for (std::string part; std::getline(list, part, ',');) {
        std::istringstream words(part);
        std::string name;
        std::string type;
        std::string key;
        std::string to;
        words >> name >> type >> key >> to;
        if (key == "references") references.push_back(reference(table, name, to));
        columns.push_back(column(name, type_of(type), key == "key"));
    }
    const bool full = line.find(" full", close) != std::string::npos;
    return relation(table, columns, full ? ReplicaIdentity::full : ReplicaIdentity::default_key);
}

// One side of an arrow, with its values in the relation's order.
struct Side {
    std::string op;
    Values new_row;
    Values old_row;
    rules::Node memory[2];
};

Values read_row(const RelationPtr& relation, rules::Node& node, const std::string& text) {
    node = rules::read_yaml(text, "example");
    Values row(relation->columns.size());
    for (const rules::Node& item : node.items) {
        std::size_t i = 0;
        while (i < row.size() && relation->columns[i].name != item.key) ++i;
        REQUIRE_MESSAGE(i < row.size(), item.key);
        if (!item.is_null()) row[i] = item.text == "unchanged" ? toast : Value(item.text);
    }
    return row;
}

void read_side(Side& side, const RelationPtr& relation, const std::string& text) {
    side.op = text.substr(0, 6);
    const auto was = text.find(" was {");
    if (text.size() > 7 && text[7] == '{')
        side.new_row = read_row(relation, side.memory[0], text.substr(7, was == std::string::npos ? was : was - 7));
    if (was != std::string::npos) side.old_row = read_row(relation, side.memory[1], text.substr(was + 5));
}

class Example {
   public:
    Example(std::string rules, std::string routing) : rules_(std::move(rules)), routing_(std::move(routing)) {}

    void run(const std::string& line) {
        CAPTURE(line);
        if (line.rfind("table ", 0) == 0) {
            source_ = read_table(line, keys_.references);
            keys_.tables.push_back(source_);
        } else if (line.rfind("target ", 0) == 0) {
            CHECK(compiled()->target()->schema + "." + compiled()->target()->table == line.substr(7));
        } else if (line.rfind("refused: ", 0) == 0) {
            CHECK(error_of([&] { (void)compiled(); }).find(line.substr(9)) != std::string::npos);
        } else {
            change(line);
        }
    }

   private:
    std::shared_ptr<const CompiledRules> compiled() {
        const auto ruleset = load(rules_, routing_);
        ruleset->refer(keys_);
        return ruleset->compile(source_);
    }

    void change(const std::string& line) {
        const auto arrow = line.find(" -> ");
        REQUIRE(arrow != std::string::npos);
        Side given;
        read_side(given, source_, line.substr(0, arrow));
        Change change = insert(source_, given.new_row);
        change.op = given.op == "INSERT" ? Op::insert : given.op == "UPDATE" ? Op::update : Op::del;
        if (!given.old_row.empty()) {
            change.old_kind = source_->identity == ReplicaIdentity::full ? OldRow::full : OldRow::key;
            change.old_row = given.old_row;
        }
        const auto used = compiled();
        Arena arena;
        if (const auto why = line.find("refused: ", arrow); why != std::string::npos) {
            CHECK(error_of([&] { used->apply(change, arena); }).find(line.substr(why + 9)) != std::string::npos);
            return;
        }
        const bool passes = used->apply(change, arena);
        REQUIRE(passes == (line.substr(arrow + 4) != "nothing"));
        if (!passes) return;
        Side wanted;
        read_side(wanted, used->target(), line.substr(arrow + 4));
        CHECK(wanted.op == (change.op == Op::insert ? "INSERT" : change.op == Op::update ? "UPDATE" : "DELETE"));
        CHECK(values(change.new_row) == wanted.new_row);
        CHECK(values(change.old_row) == wanted.old_row);
    }

    std::string rules_;
    std::string routing_;
    RelationPtr source_;
    rules::ForeignKeys keys_;
};

}  // namespace

TEST_CASE("the README's examples do what it says") {
    setenv("PGSLUICE_README_SECRET", "example-secret", 1);
    std::string rules;
    std::string routing;
    int ran = 0;
    for (const Block& block : blocks()) {
        CAPTURE(block.line);
        if (block.language == "yaml") {
            const auto has = [&](const char* part) { return block.text.find(part) != std::string::npos; };
            const bool routes = !has("tables:") || has("defaults:") || has("{mode: ");
            (routes ? routing : rules) = block.text;
            continue;
        }
        REQUIRE(block.language == "changes");
        Example example(rules, routing);
        std::istringstream lines(block.text);
        for (std::string line; std::getline(lines, line); ++ran) example.run(line);
        rules.clear();
        routing.clear();
    }
    CHECK(ran > 40);
}
