#include "rules/personal/name_lists.h"

#include <initializer_list>
#include <unordered_set>

#include "rules/transforms/fake/list_files.h"
#include "stream/base/ascii.h"

namespace pgsluice::rules {
namespace {

using Set = std::unordered_set<std::string>;

// Lines of the lists whose file's name begins so ("first_names"), in every language.
void add_lines(Set& set, std::string_view list) {
    for (const ListFile& file : list_files()) {
        if (!file.name.substr(file.name.find('/') + 1).starts_with(list)) continue;
        for (std::string_view text = file.text; !text.empty();) {
            const std::string_view line = text.substr(0, text.find('\n'));
            text.remove_prefix(std::min(line.size() + 1, text.size()));
            if (!line.empty()) set.insert(lower_ascii(line));
        }
    }
}

Set lines_of(std::string_view list) {
    Set set;
    add_lines(set, list);
    return set;
}

// Bytes of other letters than ASCII's count as letters.
bool in_word(char c) { return (c >= 'a' && c <= 'z') || (static_cast<unsigned char>(c) & 0x80) != 0; }

Set words_of_all_lists() {
    Set words;
    for (const std::string& line : lines_of("")) {
        std::string word;
        for (const char c : line + ' ') {
            if (in_word(c)) {
                word += c;
            } else if (!word.empty()) {
                words.insert(word);
                word.clear();
            }
        }
    }
    return words;
}

bool holds(const Set& set, std::string_view word) { return set.contains(std::string(word)); }

}  // namespace

std::string lower_ascii(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = ascii_lower(c);
    return lower;
}

bool in_first_names(std::string_view word) {
    static const Set names = lines_of("first_names");
    return holds(names, word);
}

bool in_last_names(std::string_view word) {
    static const Set names = lines_of("last_names");
    return holds(names, word);
}

bool in_streets(std::string_view street) {
    static const Set streets = lines_of("streets");
    return holds(streets, street);
}

bool is_list_line(std::string_view text) {
    static const Set lines = lines_of("");
    return holds(lines, text);
}

bool in_any_list(std::string_view word) {
    static const Set words = words_of_all_lists();
    return holds(words, word);
}

}  // namespace pgsluice::rules
