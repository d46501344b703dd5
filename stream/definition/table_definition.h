// What a table (relkind r or p) is, as the source's catalog says it. Types, expressions and constraints are
// PostgreSQL's own text, printed under an empty search_path, so that every name outside pg_catalog is qualified.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stream/definition/object_name.h"

namespace pgsluice {

struct ColumnDefinition {
    std::int16_t number = 0;  // pg_attribute.attnum, which a rename keeps
    std::string name{};
    std::string type{};        // format_type() with the typmod
    Oid type_oid = 0;          // 0: not said, as are the next three
    Oid base_oid = 0;          // a domain's base type, followed to its end
    Oid element_oid = 0;       // an array's element type
    std::int32_t typmod = -1;  // of the type
    bool not_null = false;
    std::string collation{};         // where it is not the type's own
    std::string expression{};        // of the default, or of what is generated
    char identity = '\0';            // 'a' always, 'd' by default
    std::string identity_options{};  // "START WITH 7 INCREMENT BY 3 ...", where they are not the type's usual ones
    char generated = '\0';           // 's' stored, 'v' virtual
    // What rows from before the column hold: the server keeps one constant for all of them.
    std::optional<std::string> missing{};
    char storage = '\0';  // where it is not the type's own; p, e, m, x
    char compression = '\0';
    std::string comment{};
    bool inherited = false;  // only from a parent: it comes and goes with the parent's

    bool operator==(const ColumnDefinition&) const = default;
};

struct ConstraintDefinition {
    Oid oid = 0;
    std::string name{};
    char type = '\0';          // pg_constraint.contype: p, u, c, f, x, n
    std::string definition{};  // pg_get_constraintdef()
    bool validated = false;
    bool inherited = false;
    std::string comment{};
    bool deferrable = false;
    bool deferred = false;  // initially
    bool enforced = true;

    bool operator==(const ConstraintDefinition&) const = default;
};

struct TableDefinition {
    std::string schema{};
    std::string name{};
    char kind = 'r';         // 'p': partitioned
    char persistence = 'p';  // 'u': unlogged
    std::string owner{};
    std::vector<ColumnDefinition> columns{};  // by number; dropped ones are left out
    std::vector<ConstraintDefinition> constraints{};
    ReplicaIdentity replica_identity = ReplicaIdentity::default_key;
    std::string identity_index{};         // with ReplicaIdentity::index
    std::string partition_by{};           // pg_get_partkeydef()
    std::string bound{};                  // of a partition: "FOR VALUES FROM (1) TO (9)", "DEFAULT"
    std::vector<ObjectName> parents{};    // direct ones, in order
    std::vector<ObjectName> ancestors{};  // all tables above it, the nearest first
    std::vector<std::string> options{};   // "fillfactor=70"
    bool row_security = false;
    bool force_row_security = false;
    std::string comment{};
    std::string bound_by{};  // what the parent of a partition is partitioned by

    bool operator==(const TableDefinition&) const = default;
};

}  // namespace pgsluice
