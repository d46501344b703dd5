// A dump's text as psql reads it: statements, commands of psql's own, comments that stand alone, rows of COPY.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "worker/dump/lexer.h"
#include "worker/dump/line_reader.h"

namespace pgsluice::dump {

struct Item {
    enum class Kind : std::uint8_t { statement, command, comment };
    Kind kind = Kind::statement;
    const Statement* statement = nullptr;  // valid until the next call
    std::string_view line;                 // of the others: "\restrict ...", "-- ..."
};

class Script {
   public:
    Script(std::string file, ReadBytes read) : lines_(std::move(file), std::move(read)) {}

    // Nothing at the end. Throws where the end is within a statement.
    std::optional<Item> next();
    // After a COPY ... FROM stdin: its next row as COPY text, without newline; nothing after the last.
    std::optional<std::string_view> row();
    // Of the line that came last.
    [[nodiscard]] const Place& place() const noexcept { return lines_.place(); }
    void plain_strings(bool plain) noexcept { lexer_.plain_strings(plain); }

   private:
    std::optional<Item> whole_line(std::string_view line) const;
    bool read_line();

    LineReader lines_;
    Lexer lexer_;
    std::string line_;       // being lexed, with its newline
    std::size_t taken_ = 0;  // of it
};

}  // namespace pgsluice::dump
