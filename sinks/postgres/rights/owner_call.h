// Statements with the rights of a table's owner, and no more.
//
// A statement can make expressions and triggers run, and these get the rights of who runs it. SET ROLE would not do:
// such code can call set_config('role', 'none', ...). Within a function that is SECURITY DEFINER PostgreSQL refuses
// that. So a function of the owner's executes the statement, and then sees to it that nothing was left in the session
// which would run with the worker's rights later.
//
// That function is made in the transaction that calls it, where no other session sees it, and is dropped before the
// commit: its owner may alter it, and could make it SECURITY INVOKER. The owner's code could do that within the
// transaction, too; so each call ends with a look.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "sql/connection.h"

namespace pgsluice {

class OwnerCalls {
   public:
    enum class Answer : std::uint8_t {
        rows,   // how many rows the statement touched
        value,  // the number in the first column of its first row
    };

    // In the open transaction. The current role must be a superuser, or a member of `owner` that may SET ROLE to it.
    // Every parameter is a text, also where the statement has it as an array. Nothing: the value is NULL.
    std::optional<std::int64_t> run(sql::Connection& connection, const std::string& owner, const std::string& statement,
                                    std::span<const sql::Param> params = {}, Answer answer = Answer::rows);

    // What is to be run before the commit; empty when there is nothing.
    [[nodiscard]] std::string drop_statement() const;
    // The transaction has ended.
    void forget() noexcept { made_.clear(); }

   private:
    std::string function_for(sql::Connection& connection, const std::string& owner, std::size_t parameters);

    std::uint64_t count_ = 0;                                          // of all functions of the session
    std::map<std::pair<std::string, std::size_t>, std::string> made_;  // by owner and number of parameters
};

}  // namespace pgsluice
