// What a session that was running waits out and a start refuses: there it is a mistake, which waiting does not mend.
#pragma once

#include "sql/error.h"

namespace pgsluice {

// A retry Error of this kind: a password that is no longer accepted.
class Outage : public Error {
   public:
    explicit Outage(const std::string& message, std::string hint = {})
        : Error(Action::retry, message, std::move(hint)) {}
};

// Whether the error is one: an Outage, or what a database that is read-only or in recovery answers.
inline bool refuses_start(const Error& error) {
    constexpr const char* read_only = "25006";
    const auto* sql = dynamic_cast<const SqlError*>(&error);
    return dynamic_cast<const Outage*>(&error) != nullptr || (sql != nullptr && sql->sqlstate() == read_only);
}

}  // namespace pgsluice
