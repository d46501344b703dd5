// Whom a session writes to a table as: itself, or, where other roles have hung code on the table, its owner.
//
// What is found holds as long as the locks that were taken before the look, on the table and on those that foreign keys
// tie to it: until the transaction's end, or a rollback to a savepoint before it. Except that what runs as an owner can
// change tables in the very same transaction, so that each table is looked at again after such a call; that ATTACH
// PARTITION and CREATE STATISTICS take weaker locks, which do not wait for ours; and that of tied tables those are not
// locked on which the role has no right to write, and those after max_tied_tables. What comes so is seen by the next
// transaction's look. Functions need no lock: a function that counts as harmless can only be changed by a role that may
// do all that we may.
//
// Which tables are tied is asked before they can be locked; the look fails where one has come since, and then they are
// asked for again, locked too, and looked at.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sinks/postgres/rights/foreign_code.h"
#include "sinks/postgres/rights/owner_call.h"
#include "sinks/postgres/target_mapping.h"
#include "sql/connection.h"

namespace pgsluice {

class TableGuard {
   public:
    explicit TableGuard(bool replica) noexcept : replica_(replica) {}

    // In the open transaction: locks the table and says as whom to write; nothing: as ourselves. A stop Error where
    // code of others is on it and the current role may not write as the owner.
    std::optional<std::string> owner_to_write_as(sql::Connection& connection, const WrittenTable& table);
    // Whether the last look found code of others, so that the next is likely to do so.
    [[nodiscard]] bool has_foreign_code(Oid table) const { return foreign_.contains(table); }
    void note_foreign_code(Oid table) { foreign_.insert(table); }
    // Whether it was seen to have code at all.
    [[nodiscard]] bool has_code(Oid table) const { return coded_.contains(table); }
    void note_code(Oid table) { coded_.insert(table); }
    void forget_code(Oid table) { coded_.erase(table); }
    // WrittenTable::tied as it was last seen, which the next look verifies.
    [[nodiscard]] bool knows_tied(Oid table) const { return tied_.contains(table); }
    void learn_tied(sql::Connection& connection, const WrittenTable& table);
    [[nodiscard]] const std::vector<std::string>& tied_to(Oid table) const;
    void forget_tied(Oid table) { tied_.erase(table); }
    // What was found before is not to be relied on: another transaction, or a rollback to a savepoint.
    void forget() noexcept { found_.clear(); }

    // As that owner.
    std::int64_t run(sql::Connection& connection, const std::string& owner, const std::string& statement,
                     std::span<const sql::Param> params = {}, OwnerCalls::Answer answer = OwnerCalls::Answer::rows);
    // The number that a SELECT from the table answers with, as the one who is to write there: planning it can run code.
    std::optional<std::int64_t> read(sql::Connection& connection, const WrittenTable& table,
                                     const std::string& statement, std::span<const sql::Param> params = {});
    // What is to be run before the commit; empty when there is nothing.
    [[nodiscard]] std::string last_statement() const { return calls_.drop_statement(); }
    // Runs it.
    void end(sql::Connection& connection);
    void ended() noexcept {
        calls_.forget();
        found_.clear();
    }

   private:
    static void lock(sql::Connection& connection, const WrittenTable& table);
    bool lock_and_look(sql::Connection& connection, WrittenTable table);
    bool is_free_of_foreign_code(sql::Connection& connection, const WrittenTable& table);
    std::optional<std::int64_t> call(sql::Connection& connection, const std::string& owner,
                                     const std::string& statement, std::span<const sql::Param> params,
                                     OwnerCalls::Answer answer);

    bool replica_;
    bool prepared_ = false;
    OwnerCalls calls_;
    std::map<std::pair<Oid, std::optional<std::vector<int>>>, std::optional<std::string>> found_;
    std::set<Oid> foreign_;
    std::set<Oid> coded_;
    std::map<Oid, std::vector<std::string>> tied_;
};

// What the current role and the owner lack so that one can act as the other, as statements; empty when nothing.
std::string missing_grants(sql::Connection& connection, const std::string& owner);

// What owner_to_write_as() would refuse, without a lock, so that it may have changed by the time rows come.
void check_code_on(sql::Connection& connection, WrittenTable table, bool replica);

WrittenTable written_table(const TargetMapping& mapping);

}  // namespace pgsluice
