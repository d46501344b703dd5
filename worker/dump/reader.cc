#include "worker/dump/reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "stream/format/copy_text.h"
#include "stream/format/utf8.h"
#include "worker/dump/insert_value.h"

namespace pgsluice::dump {

namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::ranges::any_of(names, [&](std::string_view one) { return is_word(name, one); });
}

// They begin no row and change no setting.
bool holds_no_rows(const TokenCursor& tokens) {
    constexpr std::array<std::string_view, 9> harmless{"COMMENT", "GRANT", "REVOKE",  "SECURITY", "BEGIN",
                                                       "COMMIT",  "START", "REFRESH", "ANALYZE"};
    return std::ranges::any_of(harmless, [&](std::string_view word) { return tokens.is(word); });
}

}  // namespace

void Reader::read(const std::string& file, ReadBytes bytes) {
    Script script(file, std::move(bytes));
    script_ = &script;
    open_dumps_ = 0;
    while (const auto item = script.next()) {
        switch (item->kind) {
            case Item::Kind::statement:
                statement(*item->statement);
                break;
            case Item::Kind::command:
                command(item->line);
                break;
            case Item::Kind::comment:
                comment(item->line);
                break;
        }
    }
    end_heading();
    if (open_dumps_ > 0)
        throw refused(script.place(), "the end that pg_dump writes is missing, so the dump is not complete", dump_hint);
    script_ = nullptr;
}

// Of psql's commands pg_dump writes these; \restrict and \unrestrict only guard against others.
void Reader::command(std::string_view line) {
    if (line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ")) return;
    if (!line.starts_with("\\connect ")) throw refused(script_->place(), "a command of psql's is not read", dump_hint);
    if (had_rows_)
        throw refused(script_->place(), "it holds rows of more than one database",
                      "Dump the databases one by one with pg_dump, and import each dump.");
    schema_ = {};
    utf8_ = false;
    search_path_.clear();
}

void Reader::comment(std::string_view line) {
    if (line == "-- PostgreSQL database dump" || line == "-- PostgreSQL database cluster dump") ++open_dumps_;
    if (line == "-- PostgreSQL database dump complete" || line == "-- PostgreSQL database cluster dump complete")
        --open_dumps_;
    if (line.starts_with("-- Data for Name: ")) heading(line);
}

// -- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: -
// Where rows are INSERTs, this alone tells that the dump has an empty table.
void Reader::heading(std::string_view line) {
    constexpr std::string_view before = "-- Data for Name: ";
    constexpr std::string_view between = "; Type: TABLE DATA; Schema: ";
    const auto name_end = line.find(between);
    const auto schema_end = line.rfind("; Owner: ");
    if (name_end == std::string_view::npos || schema_end == std::string_view::npos ||
        schema_end < name_end + between.size())
        return;
    const auto schema_begin = name_end + between.size();
    const QualifiedName name{std::string(line.substr(schema_begin, schema_end - schema_begin)),
                             std::string(line.substr(before.size(), name_end - before.size()))};
    end_heading();
    heading_ = {name, script_->place()};
}

void Reader::end_heading() {
    const auto ended = std::exchange(heading_, std::nullopt);
    const CreatedTable* created = ended ? schema_.find(ended->name) : nullptr;
    if (created == nullptr || ended->used) return;
    std::vector<std::string> columns;
    for (const CreatedColumn& column : created->columns) columns.push_back(column.name);
    begin_table(ended->name, without_generated(ended->name, std::move(columns)), ended->place);
}

// Rows of a partition may come under the name of the table above it (--load-via-partition-root); the partition's rules
// are to hold for them all the same.
QualifiedName Reader::name_of_rows(TokenCursor& tokens) {
    QualifiedName name = tokens.name(search_path_);
    if (!heading_) return name;
    heading_->used = true;
    if (heading_->name == name || schema_.is_below(heading_->name, name)) return heading_->name;
    tokens.refuse(fmt::format("rows of '{}.{}' come under the name of '{}.{}'", heading_->name.schema,
                              heading_->name.table, name.schema, name.table),
                  "Make the dump with its schema, or without --load-via-partition-root.");
}

void Reader::statement(const Statement& statement) {
    TokenCursor tokens(statement);
    if (tokens.take("COPY")) return copy(tokens, statement.place);
    if (tokens.take("INSERT")) return insert(statement, tokens);
    if (tokens.take("CREATE")) return schema_.create(tokens, search_path_);
    if (tokens.take("ALTER")) return schema_.alter(tokens, search_path_);
    if (tokens.take("SET")) return set(tokens);
    if (tokens.take("SELECT")) return select(tokens);
    if (tokens.is("DROP")) {
        if (had_rows_) tokens.refuse("DROP after rows is not supported", dump_hint);
        return;
    }
    if (!holds_no_rows(tokens)) tokens.refuse("a statement is not understood, and may hold rows", dump_hint);
}

// SET [SESSION | LOCAL] name { = | TO } value, ...
void Reader::set(TokenCursor tokens) {
    if (tokens.take("SESSION") && tokens.is("AUTHORIZATION")) return;
    tokens.take("LOCAL");
    const std::string name = tokens.identifier();
    if (!tokens.take('=') && !tokens.take("TO")) return;
    const Token* token = tokens.take();
    if (token == nullptr) tokens.refuse("SET without a value");
    const bool text = token->kind == Token::Kind::string || token->kind == Token::Kind::escapes;
    apply_setting(tokens, name, text ? tokens.string(*token) : identifier_of(tokens.text(*token), *token));
}

void Reader::apply_setting(const TokenCursor& tokens, std::string_view name, const std::string& value) {
    if (is_word(name, "client_encoding")) {
        utf8_ = is_one_of(value, {"UTF8", "UTF-8", "UNICODE"});
        if (!utf8_) tokens.refuse("its client_encoding is not UTF8", "Make the dump with pg_dump --encoding=UTF8.");
    } else if (is_word(name, "standard_conforming_strings")) {
        script_->plain_strings(is_one_of(value, {"on", "true", "1"}));
    } else if (is_word(name, "search_path")) {
        search_path_ = value == "\"\"" ? "" : value;
    } else if (is_one_of(name, {"datestyle", "intervalstyle", "timezone", "lc_monetary", "array_nulls"})) {
        tokens.refuse(fmt::format("the setting {} changes what values mean, and is not read", name), dump_hint);
    }
}

// SELECT pg_catalog.setval('public.users_id_seq', 7, true), and others that concern no rows of tables.
void Reader::select(TokenCursor tokens) {
    if (tokens.take('*')) tokens.expect("FROM");
    const QualifiedName function = tokens.name("");
    const std::string& name = function.table;
    if (function.schema == "pg_catalog" && tokens.take('(')) {
        if (name == "set_config") {
            const Token* setting = tokens.take();
            const bool comma = tokens.take(',');
            const Token* value = tokens.take();
            if (!comma || value == nullptr) tokens.refuse("set_config is not understood");
            return apply_setting(tokens, tokens.string(*setting), tokens.string(*value));
        }
        if (name == "setval") return setval(tokens);
        if (name.starts_with("pg_restore_")) return;
        if (is_one_of(name, {"lo_create", "lo_open", "lowrite", "lo_close", "lo_unlink"})) {
            large_objects_ = true;
            return;
        }
    }
    tokens.refuse("a SELECT is not understood, and may write rows", dump_hint);
}

// 'public.users_id_seq', 7, true)
void Reader::setval(TokenCursor tokens) {
    const Token* name = tokens.take();
    if (name == nullptr || !tokens.take(',')) tokens.refuse("setval is not understood");
    std::string value = tokens.take('-') ? "-" : "";
    const Token* digits = tokens.take();
    if (digits != nullptr) value += tokens.text(*digits);
    if (value.find_first_of("0123456789") == std::string::npos || !tokens.take(','))
        tokens.refuse("setval is not understood");
    sequences_.push_back({tokens.string(*name), std::move(value), tokens.is("true")});
}

std::vector<std::string> Reader::columns_of(const TokenCursor& tokens, const QualifiedName& name) const {
    const CreatedTable* created = schema_.find(name);
    if (created == nullptr)
        tokens.refuse(fmt::format("the columns of '{}.{}' are not known", name.schema, name.table), schema_hint);
    std::vector<std::string> columns;
    for (const CreatedColumn& column : created->columns) columns.push_back(column.name);
    return columns;
}

std::vector<std::string> Reader::without_generated(const QualifiedName& name, std::vector<std::string> columns) const {
    const CreatedTable* created = schema_.find(name);
    std::erase_if(columns, [&](const std::string& column) {
        const CreatedColumn* known = created == nullptr ? nullptr : created->find(column);
        return known != nullptr && known->generated;
    });
    return columns;
}

void Reader::require_encoding(const Place& place) const {
    if (!utf8_)
        throw refused(place, "it does not say that it is UTF-8 (SET client_encoding = 'UTF8')",
                      "Make the dump with pg_dump --encoding=UTF8.");
}

void Reader::begin_table(const QualifiedName& name, const std::vector<std::string>& columns, const Place& place) {
    if (name.schema.empty())
        throw refused(place, fmt::format("it does not say which schema table '{}' is in", name.table), dump_hint);
    columns_ = columns.size();
    had_rows_ = true;
    rows_.table(name, columns, place);
}

// COPY name (columns) FROM stdin
void Reader::copy(TokenCursor tokens, const Place& place) {
    require_encoding(place);
    const QualifiedName name = name_of_rows(tokens);
    std::vector<std::string> columns;
    if (tokens.is('(')) {
        columns = tokens.identifiers_in_parentheses();
    } else {
        columns = without_generated(name, columns_of(tokens, name));
    }
    tokens.expect("FROM");
    if (!tokens.take("STDIN") || !tokens.at_end()) tokens.refuse("COPY with options is not read", dump_hint);
    begin_table(name, columns, place);
    while (const auto line = script_->row()) hand_on(*line, script_->place());
}

// In COPY text tabs and line ends of values are escaped, so a raw tab separates, and a raw CR does not belong there.
void Reader::hand_on(std::string_view line, const Place& place) {
    if (line.find('\0') != std::string_view::npos) throw refused(place, "a row holds a byte 0, so this is no text");
    if (line.find('\r') != std::string_view::npos)
        throw refused(place, "a row holds a CR, so something has changed the dump",
                      "Give the dump as pg_dump wrote it, with lines that end in LF.");
    if (!is_utf8(line)) throw refused(place, "a row is not valid UTF-8", "Make the dump with pg_dump --encoding=UTF8.");
    const auto found = static_cast<std::size_t>(std::ranges::count(line, '\t')) + 1;
    const bool fits = columns_ == 0 ? line.empty() : found == columns_;
    if (!fits) throw refused(place, fmt::format("a row does not have {} columns", columns_), dump_hint);
    rows_.row(line, place);
}

// INSERT INTO name [(columns)] [OVERRIDING SYSTEM VALUE] VALUES (...), ... [ON CONFLICT DO NOTHING]
void Reader::insert(const Statement& statement, TokenCursor tokens) {
    require_encoding(statement.place);
    tokens.expect("INTO");
    const QualifiedName name = name_of_rows(tokens);
    const bool nothing = tokens.take_all({"DEFAULT", "VALUES"});
    auto columns = nothing          ? std::vector<std::string>{}
                   : tokens.is('(') ? tokens.identifiers_in_parentheses()
                                    : columns_of(tokens, name);
    tokens.take_all({"OVERRIDING", "SYSTEM", "VALUE"});
    const CreatedTable* created = schema_.find(name);
    std::vector<bool> generated;
    for (const std::string& column : columns) {
        const CreatedColumn* known = created == nullptr ? nullptr : created->find(column);
        generated.push_back(known != nullptr && known->generated);
    }
    begin_table(name, without_generated(name, std::move(columns)), statement.place);
    if (nothing) {
        hand_on("", statement.place);
    } else {
        tokens.expect("VALUES");
        do values(statement, tokens, generated);
        while (tokens.take(','));
    }
    tokens.take_all({"ON", "CONFLICT", "DO", "NOTHING"});
    tokens.expect_end();
}

void Reader::values(const Statement& statement, TokenCursor& tokens, const std::vector<bool>& generated) {
    line_.clear();
    tokens.expect('(');
    bool first = true;
    for (std::size_t i = 0; i < generated.size(); ++i) {
        if (i > 0) tokens.expect(',');
        if (generated[i]) {
            tokens.expect("DEFAULT");
            continue;
        }
        if (!first) line_ += '\t';
        first = false;
        append_insert_value(line_, statement, tokens);
    }
    tokens.expect(')');
    hand_on(line_, statement.place);
}

}  // namespace pgsluice::dump
