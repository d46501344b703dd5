// The commands for tables. One object per message: a partition's or child's columns come with those of its parent where
// both are in it.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "sinks/ddl/phases.h"
#include "stream/definition/definition_message.h"

namespace pgsluice {

class TableDdl {
   public:
    TableDdl(const DefinitionMessage& message, DdlPhases& out);

    void derive(const DefinitionChange& change);
    // All that are dropped, in one command: they may refer to each other.
    void drop_tables();
    // A change of columns that the target does not have, but its rows depend on.
    void wait(const DefinitionChange& change);
    // Whether the table is dropped, and what is on it with it.
    [[nodiscard]] bool drops(Oid table) const { return dropped_.contains(table); }

   private:
    struct Altered;

    void create(const TableDefinition& table, bool root_void);
    void add_own(const TableDefinition& table, const ColumnDefinition& column);
    void attach(const TableDefinition& table, const ObjectName& parent, bool root_void);
    void alter(const Altered& t);
    void move(const Altered& t);
    void alter_columns(const Altered& t);
    void drop_column(const TableDefinition& table, const std::string& column);
    void add_column(const Altered& t, const ColumnDefinition& column);
    void alter_column(const Altered& t, const ColumnDefinition& before, const ColumnDefinition& after);
    void alter_type(const Altered& t, const ColumnDefinition& before, const ColumnDefinition& after);
    void alter_default(const Altered& t, const ColumnDefinition& before, const ColumnDefinition& after);
    void alter_identity(const Altered& t, const ColumnDefinition& before, const ColumnDefinition& after);
    void drop_identity(const TableDefinition& table, const ColumnDefinition& column);
    void alter_parents(const Altered& t);
    void settings(const TableDefinition* before, const TableDefinition& after);
    void comments(const TableDefinition* before, const TableDefinition& after);

    void add(DdlPhase phase, DdlKind kind, const TableDefinition& table, std::string text, std::string kept_text = {});
    void alter_column(DdlPhase phase, const TableDefinition& table, const ColumnDefinition& column,
                      const std::string& what);
    [[nodiscard]] bool has_parent_here(const TableDefinition& table) const;
    [[nodiscard]] bool is_recopied(const DefinitionChange& table) const;
    // What rows of partitions hold in a column that was added to the partitioned table.
    [[nodiscard]] std::optional<std::string> missing_in_children(Oid parent, const std::string& column) const;
    [[nodiscard]] std::string schema_before(const std::string& schema) const;

    const DefinitionMessage& message_;
    DdlPhases& out_;
    std::set<Oid> altered_;
    std::set<Oid> dropped_;
};

}  // namespace pgsluice
