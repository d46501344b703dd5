// Code that other roles have hung on a table of the target, and that runs with the rights of whoever writes there:
// triggers and rules that fire for us, and what is called by triggers' conditions, checks, indexes, statistics
// objects, generated columns, defaults of columns that are not written, partition keys, domains and casts of the
// columns' types. Partitions count, and tables that foreign keys tie to it. A statement need not
// reach a row for that: planning it computes what is constant in an expression.
//
// The table's owner, a role that is not ours, may use PostgreSQL's own functions where these only compute, and
// immutable functions of a superuser or of the worker's role. On a table whose owner may do all that we may, it is
// enough that each function and domain belongs to such a role as well.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sinks/postgres/target.h"
#include "sql/connection.h"

namespace pgsluice {

struct ForeignCode {
    std::string what;            // "trigger leak calls public.leak() of mallory"
    std::string table;           // on which it is: the one that is written to, a partition, or one that refers to it
    bool on_other = false;       // that is another table
    std::string owner;           // of the table that is written to
    bool owner_may_all = false;  // that owner may do all that the current role may
};

// What is asked about: a table and the columns that are written.
struct WrittenTable {
    std::string name;  // quoted and qualified
    Oid oid = 0;
    bool partitioned = false;
    bool foreign = false;  // a foreign table, which cannot be locked
    // By their numbers in pg_attribute; nothing where no rows are inserted.
    std::optional<std::vector<int>> columns{};
    // Those it is known to have: one more fails the statements that require something. Nothing: any may be there.
    std::optional<std::vector<Oid>> gist_indexes{};
    // Of find_tied_tables(): they are locked with it, and the statements below require that.
    std::vector<std::string> tied{};

    // Keeps others from changing these tables until the transaction's end. The look at their code is to follow.
    [[nodiscard]] std::string lock_statement() const;
};

// How many of them are locked at most: those first whose rows change with the table's.
constexpr int max_tied_tables = 50;
// The tables that foreign keys tie to it, as far as they fire and the current role may lock them, quoted and qualified,
// in a stable order. One that comes after this answer makes the statements below say that there is foreign code.
std::vector<std::string> find_tied_tables(sql::Connection& connection, const WrittenTable& table, bool replica);

// Statements to be prepared, with the parameters below: whether there is no foreign code, the name is still that
// table's, and those tied to it are locked. The first answers 1 or 0, the second fails instead (division by zero).
std::string no_foreign_code_statement();
std::string require_no_foreign_code_statement();
// Fails where there is any code at all, of whomever: a tenth of the time that the others take.
std::string require_no_code_statement();
std::vector<std::optional<std::string>> foreign_code_parameters(const WrittenTable& table, bool replica);

// In the transaction that has locked the table, where one of those statements has found some. Planning it takes long.
ForeignCode find_foreign_code(sql::Connection& connection, const WrittenTable& table, bool replica);

}  // namespace pgsluice
