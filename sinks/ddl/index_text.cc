#include "sinks/ddl/index_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "sql/error.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

// Reads a definition from its start, as PostgreSQL prints it: one space between words, names quoted where needed.
class DefinitionCursor {
   public:
    explicit DefinitionCursor(std::string_view text) : text_(text), rest_(text) {}

    bool skip(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    void expect(std::string_view word) {
        if (!skip(word)) refuse();
    }
    void skip_name() {
        if (skip("\"")) {
            do {
                const auto quote = rest_.find('"');
                if (quote == std::string_view::npos) refuse();
                rest_.remove_prefix(quote + 1);
            } while (skip("\""));
        } else {
            rest_.remove_prefix(std::min(rest_.find_first_of(" .("), rest_.size()));
        }
    }
    void skip_qualified_name() {
        skip_name();
        if (skip(".")) skip_name();
    }
    [[nodiscard]] std::string_view rest() const { return rest_; }

   private:
    [[noreturn]] void refuse() const {
        throw stop_error(fmt::format("unable to read the definition '{}' in a DDL message", text_),
                         "Start this worker with the replicator's version.");
    }

    std::string_view text_;
    std::string_view rest_;
};

// Where the list of tables begins: no name or expression before it holds this outside quotes.
std::size_t last_from(std::string_view text) {
    constexpr std::string_view word = " FROM ";
    std::size_t found = std::string_view::npos;
    bool quoted = false;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted) {
            quoted = text[i] != quote;
        } else if (text[i] == '"' || text[i] == '\'') {
            quoted = true;
            quote = text[i];
        } else if (text.substr(i).starts_with(word)) {
            found = i;
        }
    }
    return found;
}

struct Parts {
    bool unique;
    std::string_view tail;
};

Parts parts_of(const IndexDefinition& index) {
    DefinitionCursor cursor(index.definition);
    cursor.expect("CREATE ");
    const bool unique = cursor.skip("UNIQUE ");
    cursor.expect("INDEX ");
    cursor.skip_name();
    cursor.expect(" ON ");
    cursor.skip("ONLY ");
    cursor.skip_qualified_name();
    return {unique, cursor.rest()};
}

}  // namespace

std::string create_index_text(const IndexDefinition& index, bool only) {
    const Parts parts = parts_of(index);
    return fmt::format("CREATE {}INDEX {} ON {}{}{}", parts.unique ? "UNIQUE " : "", sql::quote_identifier(index.name),
                       only ? "ONLY " : "", sql::quote_qualified(index.table.schema, index.table.name), parts.tail);
}

std::string create_statistics_text(const StatisticsDefinition& statistics) {
    DefinitionCursor cursor(statistics.definition);
    cursor.expect("CREATE STATISTICS ");
    cursor.skip_qualified_name();
    const std::string_view rest = cursor.rest();
    return fmt::format("CREATE STATISTICS {}{} FROM {}", sql::quote_qualified(statistics.schema, statistics.name),
                       rest.substr(0, last_from(rest)),
                       sql::quote_qualified(statistics.table.schema, statistics.table.name));
}

}  // namespace pgsluice
