// The hint that is given with a refused rules or routing file: each is followed to the letter, and the files are then
// taken.
#include <doctest/doctest.h>

#include "stream/base/arena.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

const RelationPtr users =
    relation("users", {column("id", integer_type, true), column("email", text_type), column("age", integer_type),
                       column("data", jsonb_type), column("born", date_type)});
const RelationPtr codes = relation("codes", {column("code", text_type, true), column("v", text_type)});
const RelationPtr keyless = relation("keyless", {column("v", text_type)});

struct Files {
    std::string rules;
    std::string routing{};
};

struct Refused {
    RelationPtr table;
    Files refused;
    std::string hint;
    std::vector<Files> followed;  // each way that it names
};

Files rule(const std::string& text, const std::string& routing = {}) {
    return {"tables: {users: [" + text + "]}", routing};
}
Files transform(const std::string& parameters) {
    return rule("{type: transform, column: email, parameters: " + parameters + "}");
}
Files filter(const std::string& column, const std::string& parameters) {
    return rule("{type: filter, column: " + column + ", parameters: {" + parameters + "}}");
}
Files on_code(const std::string& text, const std::string& routing = {}) {
    return {"tables: {codes: [" + text + "]}", routing};
}
Files on_data(const std::string& parameters) {
    return rule("{type: transform, column: data, parameters: " + parameters + "}");
}
Files json(const std::string& path) { return on_data("{type: json, path: " + path + ", transform: {type: redact}}"); }
Files route(const std::string& text) { return {"", text}; }

Files on_born(const std::string& parameters) {
    return rule("{type: transform, column: born, parameters: " + parameters + "}");
}
const std::string random_age =
    "{type: transform, column: age, parameters: {type: integer, min: 1, max: 99, random: true}}";
const std::string adult = "{type: filter, column: age, parameters: {operator: gte, value: 18}}";

const std::string keep_email = "{type: keep, column: email}";
const std::string keep_others = "{type: keep, columns: [id, age, data, born]}";
const std::string mask_email = "{type: transform, column: email, parameters: {type: mask}";
const std::string grown = "{column: age, operator: gte, value: 18}";
const std::string coded = "{column: code, operator: contains, value: x}";

const RelationPtr pairs = relation("pairs", {column("pair", {16503, "public.pair"})});
Files of_pair(const std::string& field) {
    return {"tables: {pairs: [{type: transform, column: pair, parameters: {type: composite, field: " + field +
            ", transform: {type: mask}}}]}"};
}
Files of_field(const std::string& type) {
    return {"tables: {pairs: [{type: transform, column: pair, parameters: {type: composite, field: 1, " + type +
            "transform: {type: truncate_date}}}]}"};
}
Files sample(const std::string& parameters) {
    const std::string more = parameters.empty() ? "" : ", " + parameters;
    return rule("{type: sample, column: id, parameters: {secret_env: HOME" + more + "}}");
}
std::string templated(const std::string& text) {
    return "{type: transform, column: email, parameters: {type: template, template: '" + text + "'}}";
}
Files on_email(const std::string& text) { return rule(templated(text)); }
const std::string drop_age = "{type: exclude_column, column: age}";

std::string long_path(std::size_t steps) {
    std::string path = "$";
    for (std::size_t i = 0; i < steps; ++i) path += ".a";
    return path;
}

const std::string drop_id = "{type: exclude_column, column: id}";
const std::string mask_code = "{type: transform, column: code, parameters: {type: mask}";
const std::string with_secret = "{type: hash, secret_env: HOME}";

const std::vector<Refused> rows{
    {users, {"mode: closed\ntables: {}"}, "Known modes: strict, open.", {{"mode: open\ntables: {}"}}},
    {users,
     rule("{type: drop, column: age}"),
     "Known types: transform, filter, sample, exclude_column, keep.",
     {rule("{type: exclude_column, column: age}"), rule("{type: keep, column: age}")}},
    {users,
     rule("{type: exclude_column, column: age, operations: [UPDATE]}"),
     "Leave 'operations' out, or use a transform of type 'null'.",
     {rule("{type: exclude_column, column: age}"),
      rule("{type: transform, column: age, parameters: {type: 'null'}, operations: [UPDATE]}")}},
    {users, transform("{type: msk}"), "Known transforms: mask, regex, ", {transform("{type: mask}")}},
    {users,
     transform("{type: city, secret_env: HOME, locale: xx}"),
     "Known locales: de, en, es, fr.",
     {transform("{type: city, secret_env: HOME, locale: de}"),
      transform("{type: city, secret_env: HOME, locale: en}")}},
    {users, {"locale: xx\ntables: {}"}, "Known locales: de, en, es, fr.", {{"locale: de\ntables: {}"}}},
    {users,
     transform("{type: password_hash, secret_env: HOME, password: x, algorithm: argon2}"),
     "Known algorithms: bcrypt, scrypt, pbkdf2, argon2id.",
     {transform("{type: password_hash, secret_env: HOME, password: x, cost: 4}"),
      transform("{type: password_hash, secret_env: HOME, password: x, algorithm: scrypt, n: 2}"),
      transform("{type: password_hash, secret_env: HOME, password: x, algorithm: pbkdf2, iterations: 1}"),
      transform("{type: password_hash, secret_env: HOME, password: x, algorithm: argon2id, m: 32}")}},
    {users,
     transform("{type: password_hash, secret_env: HOME, password: x, algorithm: argon2id, m: 16, p: 3}"),
     "Set m: 24, or more, or a smaller p.",
     {transform("{type: password_hash, secret_env: HOME, password: x, algorithm: argon2id, m: 24, p: 3}"),
      transform("{type: password_hash, secret_env: HOME, password: x, algorithm: argon2id, m: 16, p: 2}")}},
    {users,
     transform("{type: password_hash, secret_env: HOME, password: x, variant: 2x}"),
     "Known variants: 2a, 2b, 2y.",
     {transform("{type: password_hash, secret_env: HOME, password: x, cost: 4, variant: 2a}"),
      transform("{type: password_hash, secret_env: HOME, password: x, cost: 4, variant: 2b}"),
      transform("{type: password_hash, secret_env: HOME, password: x, cost: 4, variant: 2y}")}},
    {users,
     transform("{type: password_hash, secret_env: HOME, password: x, algorithm: pbkdf2, digest: md5}"),
     "Known digests: sha1, sha256, sha512.",
     {transform(
         "{type: password_hash, secret_env: HOME, password: x, algorithm: pbkdf2, iterations: 1, digest: sha512}")}},
    {users,
     transform("{type: password_hash, secret_env: HOME, password: x, algorithm: pbkdf2, iterations: 1, format: phc}"),
     "Known formats: passlib, django.",
     {transform(
          "{type: password_hash, secret_env: HOME, password: x, algorithm: pbkdf2, iterations: 1, format: passlib}"),
      transform(
          "{type: password_hash, secret_env: HOME, password: x, algorithm: pbkdf2, iterations: 1, format: django}")}},
    {users,
     transform("{type: password_hash, secret_env: HOME, password: x, algorithm: pbkdf2, iterations: 1, format: django, "
               "digest: sha512}"),
     "Use sha256.",
     {transform("{type: password_hash, secret_env: HOME, password: x, algorithm: pbkdf2, iterations: 1, format: "
                "django, digest: sha256}")}},
    {users,
     transform("{type: first_name, secret_env: HOME, gender: f}"),
     "Known: female, male, any.",
     {transform("{type: first_name, secret_env: HOME, gender: female}"),
      transform("{type: name, secret_env: HOME, gender: any}")}},
    {users,
     transform("{type: iban, secret_env: HOME, country: XX}"),
     "Leave 'country' out to keep each value's own.",
     {transform("{type: iban, secret_env: HOME}")}},
    {users,
     transform("{type: mask, preset: mail}"),
     "Known presets: name, email, phone, address, id, card, url.",
     {transform("{type: mask, preset: name}"), transform("{type: mask, preset: email}")}},
    {users,
     on_born("{type: truncate_date, to: hour}"),
     "Known units: year, quarter, month, week, day.",
     {on_born("{type: truncate_date, to: year}"), on_born("{type: truncate_date, to: week}")}},
    {codes,
     on_code("{type: transform, column: code, parameters: {type: uuid, secret_env: HOME, by: v}, "
             "allow_uniqueness_loss: true}"),
     "Leave 'by' out.",
     {on_code("{type: transform, column: code, parameters: {type: uuid, secret_env: HOME}}")}},
    {users, rule("{type: keep, column: email, when: " + grown + "}"), "Leave 'when' out.", {rule(keep_email)}},
    {codes,
     on_code("{type: transform, column: code, parameters: " + with_secret + ", when: {column: v, operator: is_null}}"),
     "Leave 'when' out.",
     {on_code("{type: transform, column: code, parameters: " + with_secret + "}")}},
    {codes,
     on_code("{type: transform, column: code, parameters: " + with_secret + ", when: " + coded + "}"),
     "Leave 'when' out, or set allow_uniqueness_loss: true.",
     {on_code("{type: transform, column: code, parameters: " + with_secret + "}"),
      on_code("{type: transform, column: code, parameters: " + with_secret + ", when: " + coded +
              ", allow_uniqueness_loss: true}")}},
    {users,
     rule(mask_email + ", when: []}"),
     "Leave it out for all rows.",
     {rule(mask_email + "}"), rule(mask_email + ", when: [" + grown + "]}")}},
    {users,
     {"mode: strict\ntables: {users: [" + keep_others + ", " + mask_email + ", when: " + grown + "}]}"},
     "Add {type: keep, column: ...} if the values of other rows may pass.",
     {{"mode: strict\ntables: {users: [" + keep_others + ", " + keep_email + ", " + mask_email + ", when: " + grown +
       "}]}"}}},
    {codes,
     on_code("{type: transform, column: code, parameters: {type: uuid, random: true}}"),
     "Leave 'random' out.",
     {on_code("{type: transform, column: code, parameters: {type: uuid, secret_env: HOME}}")}},
    {pairs, of_pair("0"), "Fields are counted from 1.", {of_pair("1")}},
    {pairs, of_field(""), "Say what the field is, as in field_type: date", {of_field("field_type: date, ")}},
    {pairs, of_field("field_type: dat, "), "Known types: text, smallint, integer", {of_field("field_type: date, ")}},
    {users,
     on_data("{type: json, path: $.a, delete: true, set: 1}"),
     "Write a second rule.",
     {rule("{type: transform, column: data, parameters: {type: json, path: $.a, delete: true}}, {type: transform, "
           "column: data, parameters: {type: json, path: $.b, set: 1}}")}},
    {users,
     on_data("{type: json, path: $.a, set: none}"),
     "A text is in quotes twice, as in set: '\"none\"'.",
     {on_data("{type: json, path: $.a, set: '\"none\"'}")}},
    {users,
     on_data("{type: json, path: $, delete: true}"),
     "Use a transform of type 'null'.",
     {on_data("{type: 'null'}")}},
    {users, sample("percent: 200"), "Write it with up to 6 decimals, as in 0.5.", {sample("percent: 0.5")}},
    {users,
     sample(""),
     "Set percent: 5, or one_in: 20, or limit: 1000 and of: 20000.",
     {sample("percent: 5"), sample("one_in: 20"), sample("limit: 1000, of: 20000")}},
    {users, sample("limit: 10"), "Write limit: 10 and of: N", {sample("limit: 10, of: 500")}},
    {users, sample("limit: 0, of: 9"), "Write a whole number above 0.", {sample("limit: 1, of: 9")}},
    {users,
     rule("{type: sample, column: id, operations: [INSERT], parameters: {percent: 5, secret_env: HOME}}"),
     "Leave 'operations' out.",
     {sample("percent: 5")}},
    {users, on_email("a}{id}"), "Write }} for a brace.", {on_email("a}}{id}")}},
    {users, on_email("{id}{a"), "Write {{ for a brace.", {on_email("{id}{{a")}},
    {users, on_email("a"), "Use type: constant for a text without one.", {transform("{type: constant, value: a}")}},
    {users,
     on_email("{id|lowr}"),
     "Known functions: lower, upper, slugify, before, after, first, year, month, day.",
     {on_email("{born|day}{born|month}{born|year}"), on_email("{id|lower|upper|slugify}"),
      on_email("{id|first:2|before:a|after:b}")}},
    {users,
     rule(drop_age + ", " + templated("{age}")),
     "Leave it out of the template, too.",
     {rule(drop_age + ", " + templated("{id}"))}},
    {users,
     {"tables: {users: [" + templated("{age}") + "]}", "users: {set: {age: \"id + 1\"}}"},
     "Name the columns that it is made of instead.",
     {{"tables: {users: [" + templated("{id}") + "]}", "users: {set: {age: \"id + 1\"}}"}}},
    {codes,
     on_code("{type: transform, column: code, parameters: {type: template, template: '{v}'}, "
             "allow_uniqueness_loss: true}"),
     "Use another transform for it.",
     {on_code("{type: transform, column: code, parameters: " + with_secret + "}")}},
    {users,
     rule(mask_email + "}, " + templated("{id}")),
     "Leave one of them out.",
     {rule(mask_email + "}"), rule(templated("{id}"))}},
    {users, rule(random_age + ", " + adult), "Put the filter above the transform.", {rule(adult + ", " + random_age)}},
    {users,
     transform("{type: regex, pattern: '(', replace: x}"),
     "Patterns are RE2 syntax.",
     {transform("{type: regex, pattern: '\\(', replace: x}")}},
    {users,
     transform("{type: hash}"),
     "Set secret_env or secret_file, here or at the top of the file, to where the secret is kept.",
     {transform(with_secret),
      transform("{type: hash, secret_file: /etc/hostname}"),
      {"secret_env: HOME\n" + transform("{type: hash}").rules}}},
    {users, on_data("{type: json, path: $.a}"), "For example: transform: {type: redact}.", {json("$.a")}},
    {users,
     json("'$.zip code'"),
     "Paths look like $.address.street or $.items[*].name; a name with other characters than letters, digits, _ and $ "
     "is written in double quotes: $.\"zip code\".",
     {json("$.address.street"), json("'$.items[*].name'"), json("'$.\"zip code\"'")}},
    {users,
     json(long_path(70)),
     "Write a second rule.",
     {rule("{type: transform, column: data, parameters: {type: json, path: " + long_path(40) +
           ", transform: {type: redact}}}, {type: transform, column: data, parameters: {type: json, path: " +
           long_path(30) + ", transform: {type: redact}}}")}},
    {users,
     filter("age", "operator: like, value: 1"),
     "Known operators: eq, ne, ",
     {filter("age", "operator: ne, value: 1")}},
    {users,
     filter("age", "operator: eq, value: null"),
     "Use the operator is_null or not_null.",
     {filter("age", "operator: is_null"), filter("age", "operator: not_null")}},
    {users,
     filter("email", "operator: gt, value: 18"),
     "Put the value in quotes to compare by code point.",
     {filter("email", "operator: gt, value: '18'")}},
    {users,
     rule("{type: keep, column: email, operations: [MERGE]}"),
     "Known operations: INSERT, UPDATE, DELETE.",
     {rule("{type: keep, column: email, operations: [DELETE]}")}},
    {users,
     rule("{type: keep, column: email, operations: []}"),
     "Leave it out for all of them.",
     {rule("{type: keep, column: email}")}},
    {users,
     rule("{type: keep, column: email, colum: x}"),
     "Known keys here: ",
     {rule("{type: keep, column: email, was: x}")}},
    {users, {"tables: {a.b.c: []}"}, "Write table or schema.table.", {{"tables: {b: []}"}, {"tables: {b.c: []}"}}},
    {users,
     rule("{type: keep, column: mail}"),
     "Correct the name in the file, or remove the rule.",
     {rule("{type: keep, column: email}"), rule("")}},
    {users,
     {"base: &base {type: keep}\ntables: {users: [{<<: *base, column: email}]}"},
     "Write the entries out, or use an alias for a whole list or map.",
     {rule("{type: keep, column: email}"), {"tables: {a: &same [{type: keep, column: email}], users: *same}"}}},
    {keyless,
     {"tables: {keyless: [{type: exclude_column, column: v}]}"},
     "Set 'replicate: false' in the table's route to leave it out.",
     {{"tables: {keyless: [{type: exclude_column, column: v}]}", "keyless: {replicate: false}"}}},
    {codes,
     on_code("{type: exclude_column, column: code}"),
     "Transform it with type hash, or replicate inserts only (operations in the routing file).",
     {on_code("{type: transform, column: code, parameters: " + with_secret + "}"),
      on_code("{type: exclude_column, column: code}", "codes: {operations: [INSERT]}")}},
    {codes,
     route("codes: {columns: {only: [v]}}"),
     "Add it to 'only', or replicate inserts only (operations in the routing file).",
     {route("codes: {columns: {only: [v, code]}}"), route("codes: {columns: {only: [v]}, operations: [INSERT]}")}},
    {users,
     rule(drop_id),
     "Replicate inserts only (operations in the routing file).",
     {rule(drop_id, "users: {operations: [INSERT]}")}},
    {users,
     {"mode: strict\ntables: {}"},
     "Name its columns (type: keep for those that may pass), or set 'replicate: false' in its route.",
     {{"mode: strict\ntables: {users: [{type: keep, columns: [id, email, age, data, born]}]}"},
      {"mode: strict\ntables: {}", "users: {replicate: false}"}}},
    {users,
     {"mode: strict\ntables: {users: [{type: keep, columns: [id, email, data, born]}]}"},
     "Add {type: keep, column: ...} if it may pass.",
     {{"mode: strict\ntables: {users: [{type: keep, columns: [id, email, data, born]}, {type: keep, column: age}]}"}}},
    {codes,
     on_code("{type: transform, column: code, parameters: " + with_secret + ", operations: [INSERT]}"),
     "Leave 'operations' out: otherwise updates and deletes would look for a row that is not there.",
     {on_code("{type: transform, column: code, parameters: " + with_secret + "}")}},
    {codes,
     on_code(mask_code + "}"),
     "Use type hash, or set allow_uniqueness_loss: true.",
     {on_code("{type: transform, column: code, parameters: " + with_secret + "}"),
      on_code(mask_code + ", allow_uniqueness_loss: true}")}},
    {users,
     rule("{type: transform, column: id, parameters: {type: constant, value: 7}}"),
     "Set allow_uniqueness_loss: true.",
     {rule("{type: transform, column: id, parameters: {type: constant, value: 7}, allow_uniqueness_loss: true}")}},
    {users,
     route("users: {operations: [MERGE]}"),
     "Known operations: INSERT, UPDATE, DELETE, TRUNCATE.",
     {route("users: {operations: [TRUNCATE]}")}},
    {users,
     route("users: {history: {versions: all}}"),
     "Known: transaction, change.",
     {route("users: {history: {versions: transaction}}"), route("users: {history: {versions: change}}")}},
    {users,
     route("users: {columns: {sid: '${PGSLUICE_NO_SUCH}'}}"),
     "Set it, or write the value.",
     {route("users: {columns: {sid: '${HOME}'}}"), route("users: {columns: {sid: 7}}")}},
    {users,
     route("users: {mode: keep}"),
     "Known modes: clone, append, history.",
     {route("users: {mode: clone}"), route("users: {mode: append}"), route("users: {mode: history}")}},
    {users,
     route("users: {mode: append, operations: [DELETE]}"),
     "List INSERT or UPDATE, or set 'replicate: false' to leave the table out.",
     {route("users: {mode: append, operations: [INSERT]}"), route("users: {mode: append, operations: [UPDATE]}"),
      route("users: {mode: append, operations: [DELETE], replicate: false}")}},
    {users,
     route("users: {columns: {sid: {value: 7, type: int}}}"),
     "Known types: bigint, integer, smallint, text, boolean, uuid, date.",
     {route("users: {columns: {sid: {value: 7, type: integer}}}"),
      route("users: {columns: {sid: {value: 7, type: text}}}")}},
    {users,
     rule("{type: exclude_column, column: email}", "users: {set: {size: length(email)}}"),
     "Leave the column out of the expression, or its rule out of the rules file.",
     {rule("{type: exclude_column, column: email}", "users: {set: {size: age}}"),
      route("users: {set: {size: length(email)}}")}},
    {users,
     rule("{type: exclude_column, column: email}", "users: {set: {email: age}}"),
     "Leave one of them out, or give the computed column another name.",
     {route("users: {set: {email: age}}"), rule("{type: exclude_column, column: email}"),
      rule("{type: exclude_column, column: email}", "users: {set: {aged: age}}")}},
    {users,
     route("users: {columns: {only: [id]}, set: {email: age}}"),
     "Add it to 'only', or give the computed column another name.",
     {route("users: {columns: {only: [id, email]}, set: {email: age}}"),
      route("users: {columns: {only: [id]}, set: {aged: age}}")}},
    {users,
     route("users: {set: {id: age}}"),
     "Give the computed column another name.",
     {route("users: {set: {next: age}}")}},
    {users,
     route("users: {source_table: people}"),
     "Name the table as its entry does.",
     {route("users: {source_table: users}")}},
};

std::string error_with(const Files& files, const RelationPtr& table) {
    return error_of([&] { static_cast<void>(load(files.rules, files.routing)->compile(table)); });
}

}  // namespace

TEST_CASE("a rules or routing file that was refused is taken once its hint is followed") {
    for (const Refused& row : rows) {
        const std::string error = error_with(row.refused, row.table);
        CAPTURE(row.hint);
        CHECK_MESSAGE(contains(error, "\nHINT: " + row.hint), error);
        for (const Files& files : row.followed) {
            CAPTURE(files.rules);
            CAPTURE(files.routing);
            CHECK(error_with(files, row.table) == "");
        }
    }
}

TEST_CASE("a value that is not text passes once its column is excluded, as the hint says") {
    const auto apply = [](const Files& files) {
        return error_of([&] {
            const Values row{text("1"), text("\xff"), text("7"), text("{}"), null};
            Change change = insert(users, row);
            Arena arena;
            static_cast<void>(load(files.rules)->compile(users)->apply(change, arena));
        });
    };
    CHECK(contains(apply(transform("{type: mask}")), "\nHINT: Exclude the column. Or correct the row in the source"));
    CHECK(apply(rule("{type: exclude_column, column: email}")) == "");
}
