// Reads a dump that pg_dump wrote, of any version and with any of its ways to write rows, and hands on its rows as COPY
// text. What is not understood, and might hold rows or change what they say, is a stop Error that names file and line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/dump/schema.h"
#include "worker/dump/script.h"

namespace pgsluice::dump {

// What rows are handed to, in the dump's order.
class Rows {
   public:
    virtual ~Rows() = default;
    // The rows that follow are of this table, with these columns; perhaps there are none. May be called again.
    virtual void table(const QualifiedName& name, const std::vector<std::string>& columns, const Place& place) = 0;
    // A line of COPY text without its newline. UTF-8, without a byte 0.
    virtual void row(std::string_view line, const Place& place) = 0;
};

// What the dump says of a sequence, with setval().
struct SequenceValue {
    std::string name;  // as SQL reads it: quoted where it needs quotes, and qualified
    std::string value;
    bool is_called = true;
};

class Reader {
   public:
    explicit Reader(Rows& rows) : rows_(rows) {}

    // Of several parts (pg_dump --section), one after the other.
    void read(const std::string& file, ReadBytes bytes);
    [[nodiscard]] Schema& schema() noexcept { return schema_; }
    [[nodiscard]] const std::vector<SequenceValue>& sequences() const noexcept { return sequences_; }
    // Things that the dump has, and that are not rows of tables.
    [[nodiscard]] bool had_large_objects() const noexcept { return large_objects_; }

   private:
    void command(std::string_view line);
    void comment(std::string_view line);
    void heading(std::string_view line);
    void end_heading();
    [[nodiscard]] QualifiedName name_of_rows(TokenCursor& tokens);
    void statement(const Statement& statement);
    void set(TokenCursor tokens);
    void apply_setting(const TokenCursor& tokens, std::string_view name, const std::string& value);
    void select(TokenCursor tokens);
    void setval(TokenCursor tokens);
    void copy(TokenCursor tokens, const Place& place);
    void insert(const Statement& statement, TokenCursor tokens);
    void values(const Statement& statement, TokenCursor& tokens, const std::vector<bool>& generated);
    void begin_table(const QualifiedName& name, const std::vector<std::string>& columns, const Place& place);
    void hand_on(std::string_view line, const Place& place);
    [[nodiscard]] std::vector<std::string> columns_of(const TokenCursor& tokens, const QualifiedName& name) const;
    [[nodiscard]] std::vector<std::string> without_generated(const QualifiedName& name,
                                                             std::vector<std::string> columns) const;
    void require_encoding(const Place& place) const;

    Rows& rows_;
    Schema schema_;
    Script* script_ = nullptr;
    std::string search_path_;  // the schema of names without one
    bool utf8_ = false;
    int open_dumps_ = 0;  // headers of pg_dump and pg_dumpall in this file, less their ends
    // The heading that stands above the rows of a table.
    struct Heading {
        QualifiedName name;
        Place place;
        bool used = false;  // a statement brought rows
    };
    std::optional<Heading> heading_;
    bool had_rows_ = false;
    bool large_objects_ = false;
    std::vector<SequenceValue> sequences_;
    std::size_t columns_ = 0;  // of the table that rows come of
    std::string line_;
};

}  // namespace pgsluice::dump
