// How fast rules alone are: changes in memory through compiled rules.
//
// usage: rules_bench [rows]        (default 2000000; run a release build)
// Rows are those of pg_flo's benchmark: bigserial key, bigint, varchar, jsonb, numeric, timestamp, 114 bytes as text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "rules/ruleset.h"

using namespace pgsluice;

namespace {

constexpr std::size_t distinct_rows = 4096;
constexpr std::size_t rows_per_batch = 1000;  // the arena is cleared so often, as the worker does

Column column(const char* name, Oid type, const char* type_name, bool key = false) {
    return {name, type, -1, key, type_name, type, 0};
}

RelationPtr users() {
    return std::make_shared<const Relation>(
        Relation{16384,
                 "public",
                 "users",
                 ReplicaIdentity::default_key,
                 {column("id", 20, "bigint", true), column("account", 20, "bigint"),
                  column("username", 1043, "character varying"), column("profile", 3802, "jsonb"),
                  column("balance", 1700, "numeric"), column("created_at", 1114, "timestamp without time zone")}});
}

std::vector<std::string> texts(std::size_t i) {
    return {std::to_string(1000000 + i),
            std::to_string(7919 * i % 1000003),
            fmt::format("user_{}@example.com", i),
            fmt::format(R"({{"tags": ["a", "b"], "level": {}}})", i % 100),
            fmt::format("{}.{:02}", i * 37 % 100000, i % 100),
            fmt::format("2024-06-01 12:{:02}:{:02}.123456", i / 60 % 60, i % 60)};
}

struct Rows {
    std::vector<std::vector<std::string>> texts;
    std::vector<std::vector<Value>> values;

    Rows() {
        for (std::size_t i = 0; i < distinct_rows; ++i) texts.push_back(::texts(i));
        for (const auto& row : texts) {
            values.emplace_back();
            for (const auto& text : row) values.back().emplace_back(text);
        }
    }
};

struct Case {
    const char* name;
    std::string rules;  // of the table
};

const char* const mask_rule = "{type: transform, column: username, parameters: {type: mask}}";
const char* const filter_rule = "{type: filter, column: account, parameters: {operator: gte, value: 0}}";
const char* const exclude_rule = "{type: exclude_column, column: created_at}";
const char* const regex_rule =
    "{type: transform, column: username, parameters: {type: regex, pattern: '[0-9]+', replace: N}}";
const char* const hash_rule = "{type: transform, column: username, parameters: {type: hash}}";
const char* const json_type =
    "{type: transform, column: profile, parameters: {type: json, path: $.tags, transform: {type: redact}}}";
const char* const time_type =
    "{type: filter, column: created_at, parameters: {operator: gte, value: '2024-01-01'}, allow_empty_deletes: true}";
const char* const constant_rule = "{type: transform, column: balance, parameters: {type: constant, value: 0}}";

const char* const email_rule = "{type: transform, column: username, parameters: {type: email}}";
const char* const mask_email_rule = "{type: transform, column: username, parameters: {type: mask, preset: email}}";
const char* const number_rule = "{type: transform, column: account, parameters: {type: encrypt_number}}";
const char* const noise_rule = "{type: transform, column: balance, parameters: {type: noise, percent: 10}}";
const char* const shift_rule = "{type: transform, column: created_at, parameters: {type: shift, days: 30, by: id}}";

std::unique_ptr<Ruleset> load(const std::string& rules, const std::string& directory) {
    if (rules.empty()) return Ruleset::load({});
    const std::string secret = directory + "/secret";
    const std::string file = directory + "/rules.yaml";
    std::ofstream(secret) << "a secret";
    std::ofstream(file) << "secret_file: " << secret << "\ntables: {users: [" << rules << "]}\n";
    return Ruleset::load({file, {}});
}

// CPU seconds of this thread, so that a busy machine does not count.
double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// CPU seconds for `count` inserts; dies when not all pass.
double run(const CompiledRules& compiled, const RelationPtr& relation, const Rows& rows, std::size_t count) {
    Arena arena;
    std::size_t bytes = 0;
    const double start = cpu_seconds();
    for (std::size_t i = 0; i < count; ++i) {
        if (i % rows_per_batch == 0) arena.clear();
        Change change;
        change.relation = relation.get();
        change.new_row = rows.values[i % distinct_rows];
        if (!compiled.apply(change, arena)) std::abort();
        bytes += change.new_row[2].text().size();
    }
    const double took = cpu_seconds() - start;
    if (bytes == 0) std::abort();
    return took;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2'000'000;
    const std::string directory =
        fmt::format("{}/pgsluice-rules-bench-XXXXXX", std::filesystem::temp_directory_path().string());
    std::string made = directory;
    if (mkdtemp(made.data()) == nullptr) return 1;
    const auto list = [](auto... rules) {
        return fmt::format("{}", fmt::join(std::vector<std::string>{rules...}, ", "));
    };
    const Case cases[] = {
        {"0 rules", ""},
        {"1: mask", mask_rule},
        {"1: filter bigint", filter_rule},
        {"1: filter timestamp", time_type},
        {"1: exclude_column", exclude_rule},
        {"1: constant", constant_rule},
        {"1: regex", regex_rule},
        {"1: json", json_type},
        {"1: hash", hash_rule},
        {"5: mask, filter, exclude, constant, filter timestamp",
         list(mask_rule, filter_rule, exclude_rule, constant_rule, time_type)},
        {"5 transforms: mask, json, noise, shift, constant account",
         list(mask_email_rule, json_type, noise_rule, shift_rule,
              "{type: transform, column: account, parameters: {type: constant, value: 0}}")},
        {"5 transforms, all keyed but json: email, json, noise, shift, encrypt_number",
         list(email_rule, json_type, noise_rule, shift_rule, number_rule)},
        {"5: regex, mask, filter, json, hash", list(regex_rule, mask_rule, filter_rule, json_type, hash_rule)},
    };
    const RelationPtr relation = users();
    const Rows rows;
    std::printf("%-76s %14s %10s\n", "rules per row", "rows/CPU s", "ns/row");
    for (const Case& one : cases) {
        const auto ruleset = load(one.rules, made);
        const auto compiled = ruleset->compile(relation);
        run(*compiled, relation, rows, count / 10);
        const double seconds = run(*compiled, relation, rows, count);
        std::printf("%-76s %14.0f %10.1f\n", one.name, static_cast<double>(count) / seconds,
                    seconds * 1e9 / static_cast<double>(count));
    }
    std::filesystem::remove_all(made);
    return 0;
}
