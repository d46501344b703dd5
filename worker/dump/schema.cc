#include "worker/dump/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace pgsluice::dump {

namespace {

bool begins_constraint(const TokenCursor& tokens) {
    if (tokens.is("EXCLUDE")) return tokens.is("USING", 1) || tokens.is('(', 1);
    constexpr std::array<std::string_view, 6> words{"CONSTRAINT", "CHECK", "PRIMARY", "UNIQUE", "FOREIGN", "NOT"};
    return std::ranges::any_of(words, [&](std::string_view word) { return tokens.is(word); });
}

// The names in an index's parentheses, of columns and whatever else.
std::vector<std::string> names_in_parentheses(TokenCursor& tokens) {
    std::vector<std::string> names;
    const std::size_t before = tokens.at();
    tokens.skip_parentheses();
    for (std::size_t i = before; i < tokens.at(); ++i) {
        const Token& token = tokens[i];
        if (token.kind == Token::Kind::word || token.kind == Token::Kind::quoted)
            names.push_back(identifier_of(tokens.text(token), token));
    }
    return names;
}

// (a, PERIOD b)
std::vector<std::string> columns_of_key(TokenCursor& tokens) {
    std::vector<std::string> names;
    tokens.expect('(');
    do {
        if (tokens.is("PERIOD") && !tokens.is(',', 1) && !tokens.is(')', 1)) tokens.take();
        names.push_back(tokens.identifier());
    } while (tokens.take(','));
    tokens.expect(')');
    return names;
}

template <typename Name>
bool contains(const std::vector<Name>& names, const Name& name) {
    return std::ranges::find(names, name) != names.end();
}

// After a column's type: GENERATED ALWAYS AS (expression), where IDENTITY is none.
bool read_generated(TokenCursor& tokens) { return tokens.take_all({"GENERATED", "ALWAYS", "AS"}) && tokens.is('('); }

}  // namespace

const CreatedColumn* CreatedTable::find(std::string_view column) const {
    const auto found = std::ranges::find(columns, column, &CreatedColumn::name);
    return found == columns.end() ? nullptr : &*found;
}

const CreatedTable* Schema::find(const QualifiedName& name) const {
    const auto found = tables_.find({name.schema, name.table});
    return found == tables_.end() ? nullptr : &found->second;
}

CreatedTable* Schema::known(const QualifiedName& name) {
    const auto found = tables_.find({name.schema, name.table});
    return found == tables_.end() ? nullptr : &found->second;
}

void Schema::create(TokenCursor tokens, const std::string& schema) {
    for (const auto* word : {"UNLOGGED", "FOREIGN", "GLOBAL", "LOCAL", "TEMPORARY", "TEMP"}) tokens.take(word);
    if (tokens.take("TABLE")) return create_table(tokens, schema);
    if (tokens.take("TYPE")) return create_type(tokens, schema);
    if (tokens.take("DOMAIN")) {
        const QualifiedName name = tokens.name(schema);
        tokens.take("AS");
        return types_.add_domain(name, read_type(tokens));
    }
    if (tokens.take_all({"UNIQUE", "INDEX"})) return create_index(tokens, schema);
    if (tokens.is("SCHEMA")) {  // may have tables within
        while (!tokens.at_end()) {
            tokens.take();
            if (tokens.is("CREATE")) tokens.refuse("CREATE SCHEMA with objects in it is not read");
        }
    }
}

void Schema::create_table(TokenCursor& tokens, const std::string& schema) {
    tokens.take_all({"IF", "NOT", "EXISTS"});
    CreatedTable table;
    table.name = tokens.name(schema);
    table.schema = schema;
    if (find(table.name) != nullptr) tokens.refuse("the table is created a second time");
    if (tokens.take_all({"PARTITION", "OF"})) inherit(table, tokens.name(schema));
    if (tokens.take("OF")) {
        const QualifiedName type = tokens.name(schema);
        const auto found = composites_.find({type.schema, type.table});
        if (found == composites_.end()) tokens.refuse("the table is OF a type that the dump does not have");
        table.columns = found->second;
    }
    if (tokens.is('(')) read_elements(tokens, table);
    while (!tokens.at_end()) {
        if (tokens.is("AS")) tokens.refuse("CREATE TABLE AS is not read");
        if (tokens.take("INHERITS")) {
            tokens.expect('(');
            std::vector<CreatedColumn> own = std::move(table.columns);
            table.columns.clear();
            do inherit(table, tokens.name(schema));
            while (tokens.take(','));
            for (CreatedColumn& column : own)
                if (table.find(column.name) == nullptr) table.columns.push_back(std::move(column));
        } else if (tokens.is('(')) {
            tokens.skip_parentheses();
        } else {
            tokens.take();
        }
    }
    const Key key{table.name.schema, table.name.table};
    tables_.emplace(key, std::move(table));
}

void Schema::inherit(CreatedTable& table, const QualifiedName& parent) {
    table.parents.push_back(parent);
    const CreatedTable* from = find(parent);
    if (from == nullptr) return;  // its columns are not known then, and rows with them are refused
    for (const CreatedColumn& column : from->columns)
        if (table.find(column.name) == nullptr) table.columns.push_back(column);
}

void Schema::read_elements(TokenCursor& tokens, CreatedTable& table) {
    tokens.expect('(');
    while (!tokens.take(')')) {
        if (tokens.is("LIKE")) tokens.refuse("CREATE TABLE with LIKE is not read");
        if (begins_constraint(tokens)) {
            add_constraint(tokens, table);
        } else {
            read_column(tokens, table);
        }
        if (!tokens.take(',') && !tokens.is(')')) tokens.refuse("a column of CREATE TABLE is not understood");
    }
}

// Of a partition or of a table OF a type, the column is there already.
void Schema::read_column(TokenCursor& tokens, CreatedTable& table) {
    CreatedColumn column;
    column.name = tokens.identifier();
    const bool there = table.find(column.name) != nullptr;
    if (!there) column.type = read_type(tokens);
    while (!tokens.at_end() && !tokens.is(',') && !tokens.is(')')) {
        if (read_generated(tokens)) column.generated = true;
        if (tokens.is("PRIMARY") || tokens.is("UNIQUE"))
            table.unique.push_back({"", {column.name}, tokens.is("PRIMARY")});
        if (tokens.take("REFERENCES")) {
            add_reference(tokens, table, {column.name});
            continue;
        }
        if (tokens.is('(') || tokens.is('['))
            tokens.skip_parentheses();
        else
            tokens.take();
    }
    if (!there) table.columns.push_back(std::move(column));
}

// [CONSTRAINT name] PRIMARY KEY | UNIQUE (columns) | FOREIGN KEY (columns) REFERENCES ...; others are passed by.
void Schema::add_constraint(TokenCursor& tokens, CreatedTable& table) {
    CreatedIndex index;
    if (tokens.take("CONSTRAINT")) index.name = tokens.identifier();
    index.primary = tokens.take_all({"PRIMARY", "KEY"});
    const bool unique = index.primary || tokens.take("UNIQUE");
    if (unique) {
        tokens.take_all({"NULLS", "NOT", "DISTINCT"});
        if (!tokens.is('(')) tokens.refuse("a key without its columns is not read");
        index.columns = names_in_parentheses(tokens);
        table.unique.push_back(std::move(index));
    } else if (tokens.take_all({"FOREIGN", "KEY"})) {
        auto columns = columns_of_key(tokens);
        tokens.expect("REFERENCES");
        add_reference(tokens, table, std::move(columns));
    }
    tokens.skip_to(",)");
}

// table [(columns)]
void Schema::add_reference(TokenCursor& tokens, CreatedTable& table, std::vector<std::string> columns) {
    CreatedReference reference{std::move(columns), tokens.name(table.schema), {}};
    if (tokens.is('(')) reference.to_columns = columns_of_key(tokens);
    table.references.push_back(std::move(reference));
}

void Schema::create_index(TokenCursor& tokens, const std::string& schema) {
    CreatedIndex index;
    if (!tokens.is("ON")) index.name = tokens.identifier();
    tokens.expect("ON");
    tokens.take("ONLY");
    CreatedTable* table = known(tokens.name(schema));
    if (tokens.take("USING")) tokens.identifier();
    index.columns = names_in_parentheses(tokens);
    while (!tokens.at_end()) {
        if (tokens.take("INCLUDE")) {
            tokens.skip_parentheses();
        } else if (tokens.is('(')) {  // WHERE and WITH
            const auto more = names_in_parentheses(tokens);
            index.columns.insert(index.columns.end(), more.begin(), more.end());
        } else {
            tokens.take();
        }
    }
    if (table != nullptr) table->unique.push_back(std::move(index));
}

void Schema::create_type(TokenCursor& tokens, const std::string& schema) {
    const QualifiedName name = tokens.name(schema);
    if (!tokens.take("AS") || !tokens.take('(')) return;  // an enum, a range, a base type
    std::vector<CreatedColumn> columns;
    while (!tokens.take(')')) {
        CreatedColumn column;
        column.name = tokens.identifier();
        column.type = read_type(tokens);
        tokens.skip_to(",)");
        if (!tokens.take(',') && !tokens.is(')')) tokens.refuse("a type is not understood");
        columns.push_back(std::move(column));
    }
    composites_[{name.schema, name.table}] = std::move(columns);
}

void Schema::alter(TokenCursor tokens, const std::string& schema) {
    tokens.take("FOREIGN");
    if (tokens.take("TABLE")) alter_table(tokens, schema);
}

void Schema::alter_table(TokenCursor& tokens, const std::string& schema) {
    tokens.take_all({"IF", "EXISTS"});
    tokens.take("ONLY");
    CreatedTable* table = known(tokens.name(schema));
    if (tokens.is("RENAME")) tokens.refuse("ALTER TABLE RENAME is not read");
    if (tokens.take_all({"ATTACH", "PARTITION"})) {
        const QualifiedName parent = table != nullptr ? table->name : QualifiedName{};
        if (CreatedTable* partition = known(tokens.name(schema)); partition != nullptr && table != nullptr)
            partition->parents.push_back(parent);
        return;
    }
    if (table != nullptr) alter_known(tokens, schema, *table);
}

void Schema::alter_known(TokenCursor& tokens, const std::string& schema, CreatedTable& table) {
    if (tokens.take("ADD")) {
        if (!begins_constraint(tokens)) tokens.refuse("ALTER TABLE ADD COLUMN is not read");
        return add_constraint(tokens, table);
    }
    if (tokens.take("INHERIT")) {
        table.parents.push_back(tokens.name(schema));
    } else if (tokens.take_all({"REPLICA", "IDENTITY"})) {
        if (tokens.take("FULL")) table.identity = ReplicaIdentity::full;
        if (tokens.take("NOTHING")) table.identity = ReplicaIdentity::nothing;
        if (!tokens.take_all({"USING", "INDEX"})) return;
        table.identity = ReplicaIdentity::index;
        table.identity_index = tokens.identifier();
    } else if (tokens.take("ALTER")) {
        tokens.take("COLUMN");
        tokens.identifier();
        if (tokens.is("TYPE") || tokens.is("DATA", 1)) tokens.refuse("ALTER TABLE ALTER COLUMN TYPE is not read");
    } else if (tokens.is("DROP") || (tokens.is("SET") && tokens.is("SCHEMA", 1))) {
        tokens.refuse("ALTER TABLE with DROP or SET SCHEMA is not read");
    }
}

// Nearest first, as sql::ancestors_of() has them.
std::vector<QualifiedName> Schema::ancestors(const CreatedTable& table) const {
    std::vector<QualifiedName> above;
    std::vector<QualifiedName> level = table.parents;
    while (!level.empty()) {
        std::vector<QualifiedName> next;
        for (const QualifiedName& parent : level) {
            if (parent == table.name || contains(above, parent)) continue;
            above.push_back(parent);
            if (const CreatedTable* known = find(parent))
                next.insert(next.end(), known->parents.begin(), known->parents.end());
        }
        level = std::move(next);
    }
    return above;
}

bool Schema::is_below(const QualifiedName& table, const QualifiedName& above) const {
    const CreatedTable* known = find(table);
    return known != nullptr && contains(ancestors(*known), above);
}

std::vector<std::string> Schema::key_of(const CreatedTable& table) {
    for (const CreatedIndex& index : table.unique) {
        if (table.identity == ReplicaIdentity::default_key && index.primary) return index.columns;
        if (table.identity == ReplicaIdentity::index && index.name == table.identity_index) return index.columns;
    }
    return {};
}

Column Schema::described(const CreatedTable& table, const std::string& column) {
    Column made;
    if (const CreatedColumn* created = table.find(column)) types_.describe(made, created->type, table.schema);
    return made;
}

void Schema::append(const CreatedTable& table, const CreatedReference& reference, std::vector<ColumnReference>& into) {
    const CreatedTable* to = find(reference.to);
    std::vector<std::string> columns = reference.to_columns;
    if (columns.empty() && to != nullptr)
        for (const CreatedIndex& index : to->unique)
            if (index.primary) columns = index.columns;
    const std::string name =
        fmt::format("({}) references ({})", fmt::join(reference.columns, ", "), fmt::join(columns, ", "));
    for (std::size_t i = 0; i < std::min(columns.size(), reference.columns.size()); ++i) {
        const Column own = described(table, reference.columns[i]);
        const Column other = to == nullptr ? Column{} : described(*to, columns[i]);
        const bool same = own.type_oid == other.type_oid && own.typmod == other.typmod;
        into.push_back({table.name, reference.columns[i], reference.to, columns[i], same, name});
    }
}

std::vector<ColumnReference> Schema::references() {
    std::vector<ColumnReference> all;
    for (const auto& [key, table] : tables_)
        for (const CreatedReference& reference : table.references) append(table, reference, all);
    return all;
}

std::optional<Relation> Schema::relation(const QualifiedName& name, const std::vector<std::string>& columns) {
    const CreatedTable* table = find(name);
    if (table == nullptr) return std::nullopt;
    Relation relation;
    relation.schema = name.schema;
    relation.table = name.table;
    relation.identity = table->identity;
    relation.ancestors = ancestors(*table);
    const auto key = key_of(*table);
    for (const std::string& wanted : columns) {
        const CreatedColumn* created = table->find(wanted);
        if (created == nullptr) return std::nullopt;
        Column& column = relation.columns.emplace_back();
        column.name = wanted;
        types_.describe(column, created->type, table->schema);
        column.number = static_cast<std::int16_t>(created - table->columns.data() + 1);
        column.key = table->identity == ReplicaIdentity::full || contains(key, wanted);
        column.unique = std::ranges::any_of(table->unique, [&](const CreatedIndex& index) {
            return index.columns != key && contains(index.columns, wanted);
        });
    }
    return relation;
}

}  // namespace pgsluice::dump
