// Foreign keys that a command makes or checks while rows that they refer to are still to come with a copy: those of a
// table that was emptied, for its rows come again, and of one that was made by a command. They are made NOT VALID and
// checked when the copy is there. Kept in pgsluice.unchecked on the target: a worker may end in between.
//
// Before PostgreSQL 18 that of a partitioned table cannot be NOT VALID. Its partitions get it, and it takes theirs over
// once they are checked.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sinks/ddl/derived_statement.h"
#include "sinks/options.h"
#include "sinks/postgres/session.h"
#include "stream/base/log.h"

namespace pgsluice {

class UncheckedKeys {
   public:
    UncheckedKeys(PostgresSession& session, const PostgresSinkOptions& options, const Log& log)
        : session_(session), options_(options), log_(log) {}

    // In the open transaction: a copy is to bring this table's rows.
    void await_rows(const QualifiedName& table);
    // In the open transaction, once the statement has failed because of a foreign key: runs it with the keys that refer
    // to awaited rows NOT VALID. False: it is not because of these.
    using Run = std::function<void(const QualifiedName& table, const std::string& text)>;
    bool run(const DerivedStatement& statement, const Run& run);

    // In the open transaction: a statement about a key that its table does not have yet, but its partitions have, runs
    // on these. False: there is none.
    bool run_below(const DerivedStatement& statement);

    // In the transaction that ends the copy of these tables (quoted and qualified).
    void copied(const std::vector<std::string>& tables);
    // Checks what can be checked, each in a transaction of its own.
    void check();

    struct Key;

   private:
    [[nodiscard]] std::vector<Key> keys_to_awaited(const QualifiedName& table);
    [[nodiscard]] std::vector<QualifiedName> partitions_below(const QualifiedName& table);
    [[nodiscard]] bool takes_unchecked(const QualifiedName& table);
    [[nodiscard]] std::vector<Key> keys_below(const QualifiedName& table, const std::string& name);
    void renote(const DerivedStatement& statement);
    bool owe(const QualifiedName& table, const std::string& key);
    bool enforce(const QualifiedName& table, const std::string& name, const Run& run);
    bool add_unchecked(const Key& key, const Run& run);
    bool add_not_valid(const Key& key, const Run& run);
    bool add_below(const Key& key, const Run& run);
    bool check(const Key& key);
    void make_above();
    void make_above(const Key& key);
    void run_as_its_owner(const QualifiedName& table, const std::string& text);

    PostgresSession& session_;
    const PostgresSinkOptions& options_;
    const Log& log_;
};

}  // namespace pgsluice
