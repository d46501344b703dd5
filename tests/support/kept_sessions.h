// Sessions of tests with a server, kept for the next call. One for each call cost the server 5 ms of CPU, and 20 to 40
// where it had to plan the triggers that capture DDL: more than half of what the live tests took in all.
#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <string>

#include "sql/connection.h"

namespace pgsluice::test {

// Any thread may call any member.
class KeptSessions {
   public:
    using Open = std::function<sql::Connection()>;

    // In a kept session of this database, or one that `open` makes. It is kept unless the statements failed or left a
    // transaction open; what they set or hold otherwise ends with them, as with their session.
    sql::Result exec(const std::string& dbname, const std::string& statements, const Open& open);
    void clear();

   private:
    struct Session {
        std::string dbname;
        sql::Connection connection;
    };

    // The session of this database that was used last, or a new one; taken out of the list.
    std::list<Session> take(const std::string& dbname, const Open& open);
    void keep(std::list<Session> session);

    std::mutex mutex_;
    std::list<Session> idle_;  // the one used last comes first
};

}  // namespace pgsluice::test
