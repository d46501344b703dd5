// Any text is a rules, routing or configuration file or a table's name, or is refused with a usage Error; rules that
// were read compile for a table, or are refused. The first byte of the input picks the reader.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/cli/config_file.h"
#include "rules/file/node.h"
#include "rules/rule.h"
#include "rules/ruleset.h"
#include "sql/error.h"
#include "stream/table_pattern.h"
#include "tests/fuzz/seeds.h"

using namespace pgsluice;

namespace {

Column column(const char* name, Oid type, const char* type_name, bool key = false) {
    return {name, type, -1, key, type_name, type, 0};
}

const RelationPtr users = std::make_shared<const Relation>(Relation{
    16385,
    "public",
    "users",
    ReplicaIdentity::default_key,
    {column("id", 23, "integer", true), column("email", 25, "text"), column("age", 1700, "numeric"),
     column("born", 1114, "timestamp without time zone"), column("data", 3802, "jsonb"), column("token", 2950, "uuid"),
     column("raw", 17, "bytea"), column("ok", 16, "boolean"), column("span", 1186, "interval")}});

void apply(const Ruleset& ruleset) {
    const auto compiled = ruleset.compile(users);
    if (!compiled) return;
    const std::array<const char*, 9> texts{"1",
                                           "ada@example.com",
                                           "36.50",
                                           "2024-02-29 12:00:00",
                                           R"({"a": [1, {"b": "c"}], "name": "x"})",
                                           "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                                           R"(\x6869)",
                                           "t",
                                           "1 year 2 days 03:04:05"};
    std::vector<Value> row;
    for (const char* text : texts) row.emplace_back(std::string_view(text));
    for (const Op op : {Op::insert, Op::update, Op::del}) {
        Change change;
        change.op = op;
        change.relation = users.get();
        if (op != Op::del) change.new_row = row;
        if (op == Op::del) {
            change.old_row = row;
            change.old_kind = OldRow::full;
        }
        Arena arena;
        static_cast<void>(compiled->apply(change, arena));
    }
}

void read_rules_file(const std::string& text) {
    const Ruleset ruleset(rules::read_rules(rules::read_yaml(text, "rules"), "rules"), {});
    static_cast<void>(ruleset.meaning(users));
    apply(ruleset);
}

void read_routing_file(const std::string& text) {
    apply(Ruleset({}, rules::read_routes(rules::read_yaml(text, "routing"), "routing")));
}

void read_configuration(const std::string& text) { static_cast<void>(read_config_text(text, "pgsluice.yaml")); }

void read_names(const std::string& text) {
    const TablePattern pattern = parse_table_pattern(text, "public");
    static_cast<void>(pattern.matches("public", "users"));
    static_cast<void>(pattern.table.like());
    static_cast<void>(parse_table_name(text, "public"));
}

struct Reader {
    void (*read)(const std::string& text);
    std::vector<std::string> seeds;
};

const std::array readers{
    Reader{read_rules_file,
           {R"(mode: open
tables:
  users:
    - type: transform
      column: email
      parameters: {type: mask, mask_char: "*"}
      operations: [INSERT, UPDATE]
    - {type: filter, column: age, parameters: {operator: gte, value: 18, allow_empty_deletes: true}}
    - {type: exclude_column, columns: [ok, span]}
    - {type: keep, column: id, was: number}
)",
            R"(tables:
  public.users:
    mode: strict
    rules:
      - {type: transform, column: data, parameters: {type: json, path: "$.a[0].b", transform: {type: redact}}}
      - {type: transform, column: email, parameters: {type: regex, pattern: "(a+)@", replace: "$1"}}
      - {type: transform, column: email, parameters: {type: truncate, length: 3}}
      - {type: transform, column: age, parameters: {type: constant, value: 7}}
      - {type: filter, column: born, parameters: {operator: lt, value: "2024-01-01"}}
      - {type: filter, column: token, parameters: {operator: in, value: [a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11]}}
      - {type: filter, column: span, parameters: {operator: gt, value: 1 day}}
      - {type: filter, column: email, parameters: {operator: regex, value: "^a"}}
)"}},
    Reader{read_routing_file,
           {"users:\n  source_table: users\n  destination_table: shop.customers\n  column_mappings: [{source: id, "
            "destination: customer_id}]\n  operations: [INSERT, UPDATE]\n  replicate: true\n"}},
    Reader{read_configuration, {"group: g\nbatch_size: 10\ntables: [a, b.c]\nsource-url: \"host=h dbname=d\"\n"}},
    Reader{read_names, {"shop.\"a.b\"", "*.events_*"}},
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    std::vector<std::string> seeds;
    for (std::size_t i = 0; i < readers.size(); ++i)
        for (const std::string& seed : readers[i].seeds) seeds.push_back(std::string(1, static_cast<char>(i)) + seed);
    fuzz::add_seeds(argc, argv, seeds);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    try {
        readers[data[0] % readers.size()].read(text);
    } catch (const Error& error) {
        if (error.action() == Action::retry) std::abort();
    }
    return 0;
}
