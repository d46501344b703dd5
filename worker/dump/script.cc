#include "worker/dump/script.h"

namespace pgsluice::dump {

namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\n") == std::string_view::npos; }

}  // namespace

bool Script::read_line() {
    const auto line = lines_.next();
    if (!line) return false;
    if (line->find('\0') != std::string_view::npos)
        throw refused(place(), "the line holds a byte 0, so this is no text");
    line_.assign(*line);
    line_ += '\n';
    taken_ = 0;
    return true;
}

std::optional<Item> Script::whole_line(std::string_view line) const {
    if (line.starts_with('\\')) return Item{Item::Kind::command, nullptr, line};
    if (line.starts_with("-- ")) return Item{Item::Kind::comment, nullptr, line};
    return std::nullopt;
}

std::optional<Item> Script::next() {
    if (lexer_.complete()) lexer_.next();
    for (;;) {
        if (taken_ == line_.size()) {
            if (!read_line()) break;
            const std::string_view line(line_.data(), line_.size() - 1);
            if (const auto item = lexer_.between() ? whole_line(line) : std::nullopt) {
                taken_ = line_.size();
                return item;
            }
        }
        taken_ += lexer_.take(std::string_view(line_).substr(taken_), place());
        if (lexer_.complete()) return Item{Item::Kind::statement, &lexer_.statement(), {}};
    }
    if (!lexer_.between()) throw refused(place(), "it ends within a statement, so it is not complete");
    return std::nullopt;
}

std::optional<std::string_view> Script::row() {
    if (!is_blank(std::string_view(line_).substr(taken_))) throw refused(place(), "COPY has more on its line");
    taken_ = line_.size();
    const auto line = lines_.next();
    if (!line) throw refused(place(), "it ends within the rows of a COPY, so it is not complete");
    if (*line == "\\.") return std::nullopt;
    if (lines_.cut_off()) throw refused(place(), "it ends within a row, so it is not complete");
    return line;
}

}  // namespace pgsluice::dump
