// What a dump's CREATE and ALTER statements say of its tables.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream/change.h"
#include "stream/column_reference.h"
#include "worker/dump/token_cursor.h"
#include "worker/dump/types.h"

namespace pgsluice::dump {

struct CreatedColumn {
    std::string name;
    TypeText type;
    bool generated = false;
};

struct CreatedIndex {
    std::string name;
    std::vector<std::string> columns;  // that it names anywhere but in INCLUDE
    bool primary = false;
};

struct CreatedReference {
    std::vector<std::string> columns;
    QualifiedName to;
    std::vector<std::string> to_columns;  // empty: those of its primary key
};

struct CreatedTable {
    QualifiedName name;
    std::string schema;  // that of types named without one
    std::vector<CreatedColumn> columns;
    std::vector<QualifiedName> parents;  // it is a partition of, or inherits from
    std::vector<CreatedIndex> unique;
    std::vector<CreatedReference> references;
    ReplicaIdentity identity = ReplicaIdentity::default_key;
    std::string identity_index;

    [[nodiscard]] const CreatedColumn* find(std::string_view column) const;
};

class Schema {
   public:
    // A statement that begins with CREATE or ALTER, which was taken; `schema` is that of names without one. Throws for
    // one that may hold rows, or that changes what was read before.
    void create(TokenCursor tokens, const std::string& schema);
    void alter(TokenCursor tokens, const std::string& schema);

    // Null where the dump has no CREATE TABLE of it so far.
    [[nodiscard]] const CreatedTable* find(const QualifiedName& name) const;
    // Whether one is a partition of the other, or inherits from it, at whatever depth.
    [[nodiscard]] bool is_below(const QualifiedName& table, const QualifiedName& above) const;
    // The table with these of its columns, in this order; nothing where one of them is not known.
    [[nodiscard]] std::optional<Relation> relation(const QualifiedName& name, const std::vector<std::string>& columns);
    // The foreign keys of all tables so far.
    [[nodiscard]] std::vector<ColumnReference> references();

   private:
    void create_table(TokenCursor& tokens, const std::string& schema);
    void read_elements(TokenCursor& tokens, CreatedTable& table);
    void read_column(TokenCursor& tokens, CreatedTable& table);
    void inherit(CreatedTable& table, const QualifiedName& parent);
    void create_index(TokenCursor& tokens, const std::string& schema);
    void create_type(TokenCursor& tokens, const std::string& schema);
    void alter_table(TokenCursor& tokens, const std::string& schema);
    void alter_known(TokenCursor& tokens, const std::string& schema, CreatedTable& table);
    void add_constraint(TokenCursor& tokens, CreatedTable& table);
    static void add_reference(TokenCursor& tokens, CreatedTable& table, std::vector<std::string> columns);
    [[nodiscard]] Column described(const CreatedTable& table, const std::string& column);
    void append(const CreatedTable& table, const CreatedReference& reference, std::vector<ColumnReference>& into);
    [[nodiscard]] std::vector<QualifiedName> ancestors(const CreatedTable& table) const;
    static std::vector<std::string> key_of(const CreatedTable& table);

    using Key = std::pair<std::string, std::string>;
    CreatedTable* known(const QualifiedName& name);
    std::map<Key, CreatedTable> tables_;
    std::map<Key, std::vector<CreatedColumn>> composites_;
    Types types_;
};

}  // namespace pgsluice::dump
