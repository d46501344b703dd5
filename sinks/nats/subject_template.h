// The subject of a change's message: `cdc.{schema}.{table}.{op}` with the names put in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stream/change.h"

namespace pgsluice {

class SubjectTemplate {
   public:
    // Takes {group}, {schema}, {table} and {op}; a usage Error for anything else in braces, and when the result could
    // not be a subject or would be one of pgsluice's own. `inbox_prefix`: of the connection, where it is not _INBOX.
    SubjectTemplate(std::string_view text, std::string_view group, std::string_view inbox_prefix = {});

    // A name becomes one token: characters NATS gives a meaning (`.`, `*`, `>`, white space) are `_` there, as is an
    // empty name. `op` is insert, update, delete, truncate, snapshot or ddl. A stop Error where the names lead to one
    // of pgsluice's subjects or of NATS' own: whoever may make a table on the source must not write there.
    [[nodiscard]] std::string fill(std::string_view schema, std::string_view table, std::string_view op) const;

   private:
    enum class Piece : unsigned char { text, schema, table, op };
    struct Part {
        Piece piece;
        std::string text;
    };
    // Subjects that a name of the source must not lead to.
    [[nodiscard]] bool is_reserved(std::string_view subject) const;

    std::vector<Part> parts_;
    std::string inbox_prefix_;
};

}  // namespace pgsluice
