#include "tests/support/terminal_screen.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace pgsluice::test {

namespace {

struct Screen {
    std::vector<std::string> lines{1};
    std::size_t row = 0;
    std::size_t column = 0;

    void put(char c) {
        std::string& line = lines[row];
        line.resize(std::max(line.size(), column + 1), ' ');
        line[column++] = c;
    }
    void down() {
        if (++row == lines.size()) lines.emplace_back();
    }
    void control(char command, std::size_t number) {
        if (command == 'A') {
            row -= std::min(row, number);
        } else if (command == 'J') {
            lines.resize(row + 1);
            lines[row].resize(std::min(lines[row].size(), column));
        } else if (command != 'h' && command != 'l') {
            FAIL("an escape sequence that is not known: " << command);
        }
    }
};

}  // namespace

std::vector<std::string> screen_of(std::string_view bytes) {
    Screen screen;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] == '\r') {
            screen.column = 0;
        } else if (bytes[i] == '\n') {
            screen.down();
        } else if (bytes.substr(i, 2) == "\x1b[") {
            const auto end = bytes.find_first_not_of("?0123456789", i + 2);
            if (end == std::string_view::npos) break;  // the rest has not come yet
            const std::string number(bytes.substr(i + 2, end - i - 2));
            screen.control(bytes[end], number.empty() || number[0] == '?' ? 1 : std::stoul(number));
            i = end;
        } else {
            screen.put(bytes[i]);
        }
    }
    return screen.lines;
}

}  // namespace pgsluice::test
