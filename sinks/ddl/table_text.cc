#include "sinks/ddl/table_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "sinks/ddl/column_text.h"
#include "sinks/ddl/not_null_ddl.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

std::string suffix_text(const TableDefinition& table) {
    std::string text;
    if (!table.partition_by.empty()) text += " PARTITION BY " + table.partition_by;
    return text;
}

std::string column_list(const TableDefinition& table) {
    std::vector<std::string> parts;
    const bool partition = is_partition(table);
    for (const ColumnDefinition& column : table.columns) {
        if (column.inherited && !partition) continue;
        ColumnDefinition own = column;
        if (partition) own.identity = '\0';  // the partitioned table's
        parts.push_back(column_text(own) + not_null_text(table, own));
    }
    for (const ConstraintDefinition& constraint : table.constraints) {
        // ATTACH makes an exclusion constraint again, also where there is an equal one.
        const bool later =
            is_added(constraint) || constraint.type == 'n' || (constraint.type == 'x' && constraint.inherited);
        if (!later && (!constraint.inherited || partition)) parts.push_back(constraint_text(constraint));
    }
    return fmt::format("({})", fmt::join(parts, ", "));
}

// What a partition that is made as one has of its own.
std::string own_parts(const TableDefinition& table) {
    std::vector<std::string> parts;
    for (const ColumnDefinition& column : table.columns) {
        std::string own = inherits_not_null(table, column) ? "" : not_null_text(table, column);
        if (!column.expression.empty() && column.generated == '\0') own += " DEFAULT " + column.expression;
        if (!own.empty()) parts.push_back(sql::quote_identifier(column.name) + own);
    }
    for (const ConstraintDefinition& constraint : table.constraints)
        if (!constraint.inherited && !is_added(constraint) && constraint.type != 'n')
            parts.push_back(constraint_text(constraint));
    return parts.empty() ? "" : fmt::format(" ({})", fmt::join(parts, ", "));
}

}  // namespace

std::string quoted(const TableDefinition& table) { return sql::quote_qualified(table.schema, table.name); }
std::string quoted(const ObjectName& name) { return sql::quote_qualified(name.schema, name.name); }
std::string only(const TableDefinition& table) { return (table.kind == 'p' ? "" : "ONLY ") + quoted(table); }

std::string constraint_text(const ConstraintDefinition& constraint) {
    return fmt::format("CONSTRAINT {} {}", sql::quote_identifier(constraint.name), constraint.definition);
}

bool is_added(const ConstraintDefinition& constraint) {
    return constraint.type == 'f' || (constraint.type == 'c' && constraint.enforced && !constraint.validated);
}

bool is_partition(const TableDefinition& table) { return !table.bound.empty(); }

bool made_as_partition(const TableDefinition& table) {
    return is_partition(table) && !table.parents.empty() && !was_attached(table) &&
           std::all_of(table.columns.begin(), table.columns.end(), [](const auto& c) { return c.inherited; });
}

std::string create_text(const TableDefinition& table) {
    const std::string head =
        fmt::format("CREATE {}TABLE {}", table.persistence == 'u' ? "UNLOGGED " : "", quoted(table));
    if (made_as_partition(table))
        return fmt::format("{} PARTITION OF {}{} {}{}", head, quoted(table.parents.front()), own_parts(table),
                           table.bound, suffix_text(table));
    std::string inherits;
    if (!is_partition(table) && !table.parents.empty()) {
        std::vector<std::string> parents;
        for (const ObjectName& parent : table.parents) parents.push_back(quoted(parent));
        inherits = fmt::format(" INHERITS ({})", fmt::join(parents, ", "));
    }
    return fmt::format("{} {}{}{}", head, column_list(table), inherits, suffix_text(table));
}

std::string storage_name(const ColumnDefinition& column) {
    switch (column.storage) {
        case 'p':
            return "PLAIN";
        case 'e':
            return "EXTERNAL";
        case 'm':
            return "MAIN";
        case 'x':
            return "EXTENDED";
        default:
            return column.type.starts_with("numeric") ? "MAIN" : "EXTENDED";
    }
}

std::string compression_name(char compression) {
    if (compression == 'l') return "lz4";
    return compression == 'p' ? "pglz" : "default";
}

std::string replica_identity_text(const TableDefinition& table) {
    switch (table.replica_identity) {
        case ReplicaIdentity::full:
            return "FULL";
        case ReplicaIdentity::nothing:
            return "NOTHING";
        case ReplicaIdentity::index:
            return "USING INDEX " + sql::quote_identifier(table.identity_index);
        case ReplicaIdentity::default_key:
            break;
    }
    return "DEFAULT";
}

std::string deferral(const ConstraintDefinition& constraint) {
    if (constraint.deferred) return "DEFERRABLE INITIALLY DEFERRED";
    return constraint.deferrable ? "DEFERRABLE INITIALLY IMMEDIATE" : "NOT DEFERRABLE";
}

}  // namespace pgsluice
