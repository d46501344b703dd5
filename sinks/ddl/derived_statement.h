// One command for a target that was derived from a definition before and after.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sinks/ddl/ddl_kind.h"
#include "stream/change.h"

namespace pgsluice {

struct DerivedStatement {
    DdlKind kind{};
    std::string text{};    // complete; all names qualified
    std::string object{};  // for messages: "table 'public.t'"
    // With whose rights it runs: the owner of this table, or of this type, as it is called then.
    std::optional<QualifiedName> table{};
    std::optional<QualifiedName> type{};
    // Of other objects: a query for the owner's name, and whether that is the current role; no row: there is none.
    std::string owner_query{};

    // What the server takes only where it has the owner of a table, as it has on the source: it is given to that first.
    struct Given {
        std::string what{};  // 'SEQUENCE "public"."t_id_seq"'
        QualifiedName table{};
        bool operator==(const Given&) const = default;
    };
    std::optional<Given> given{};

    // It runs only where this SQL expression is true on the target; empty: always.
    std::string condition{};
    std::string absent{};     // of what creates: true where the target has no such object
    std::string otherwise{};  // why it is left out then; empty: that needs no word

    // drop table, recopy: what the source's tables are, to find what only the target has and would lose.
    struct Destroyed {
        QualifiedName table{};
        std::vector<std::string> columns{};
        bool operator==(const Destroyed&) const = default;
    };
    std::vector<Destroyed> destroys{};

    // As DefinitionChange has them: of a table that others fill, too, and may have changed in the same way before.
    std::vector<std::string> own_rows{};
    bool keeps_rows = false;  // of a recopy

    // Makes a partition: tables whose rows are void, for they come again, and may be removed where they are in the way.
    std::vector<QualifiedName> voids{};

    std::string column{};  // add column, drop column
    // add column, column type: what runs in place of `text` where a recopy of the table was left out.
    std::string kept_text{};
    std::optional<std::string> missing{};  // add column: what rows from before hold, as an expression
    bool drops = false;                    // what it names may be gone already
    bool only_if_missing = false;          // of an object that did not change: all is left out where the target has it
    bool creates = false;                  // a schema that was copied later may have it
    bool definer = false;                  // makes a function that runs with its owner's rights
    std::string obstacle{};                // why it cannot be run; empty: it can

    std::optional<QualifiedName> made{};  // create table
    // CREATE INDEX of a table, on which no other command of the message depends: the index's name.
    std::string built_index{};
    std::string foreign_key{};  // the name of the one that it makes (`creates`), `drops`, or is about
    std::string renamed_to{};   // what that is called then
    bool enforces = false;      // it was not enforced until now
    // The tables that it is about, for policies.
    [[nodiscard]] std::vector<QualifiedName> tables() const;
    // The text as it may be shown and logged: without a row's values.
    [[nodiscard]] std::string shown() const;

    bool operator==(const DerivedStatement&) const = default;
};

}  // namespace pgsluice
