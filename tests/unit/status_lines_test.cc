#include "cmd/terminal/status_lines.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "tests/support/terminal_screen.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Lines = std::vector<std::string>;

// A terminal of our own, and what was written to it.
struct Terminal {
    int us = ::posix_openpt(O_RDWR | O_NOCTTY);
    int program = -1;

    Terminal() {
        REQUIRE(::grantpt(us) == 0);
        REQUIRE(::unlockpt(us) == 0);
        program = ::open(::ptsname(us), O_RDWR | O_NOCTTY);
        REQUIRE(program >= 0);
        ::setenv("TERM", "xterm", 1);
    }
    ~Terminal() {
        ::close(program);
        ::close(us);
    }
    void resize(unsigned short rows, unsigned short columns) const {
        const winsize size{rows, columns, 0, 0};
        REQUIRE(::ioctl(us, TIOCSWINSZ, &size) == 0);
    }
    Lines screen() {
        std::array<char, 65536> buffer{};
        ::fcntl(us, F_SETFL, O_NONBLOCK);
        for (ssize_t count = 0; (count = ::read(us, buffer.data(), buffer.size())) > 0;)
            bytes.append(buffer.data(), static_cast<std::size_t>(count));
        return screen_of(bytes);
    }
    std::string bytes;
};

}  // namespace

TEST_CASE("log lines go above what is drawn, and stay") {
    Terminal terminal;
    StatusLines lines(terminal.program);
    CHECK(lines.drawable());
    lines.print("one\n");
    lines.draw({"bar 10 %", "total 5 %"});
    CHECK(terminal.screen() == Lines{"one", "bar 10 %", "total 5 %", ""});
    lines.print("two\nthree\n");
    CHECK(terminal.screen() == Lines{"one", "two", "three", "bar 10 %", "total 5 %", ""});
    lines.draw({"total 9 %"});
    CHECK(terminal.screen() == Lines{"one", "two", "three", "total 9 %", ""});
    lines.erase();
    lines.print("four\n");
    CHECK(terminal.screen() == Lines{"one", "two", "three", "four", ""});
}

TEST_CASE("no more lines than the terminal has") {
    Terminal terminal;
    terminal.resize(3, 70);
    StatusLines lines(terminal.program);
    CHECK(lines.columns() == 70);
    lines.draw({"a", "b", "c", "total"});
    CHECK(terminal.screen() == Lines{"c", "total", ""});
}

TEST_CASE("where nothing can be drawn only the log comes") {
    SUBCASE("a pipe") {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        StatusLines lines(ends[1]);
        CHECK_FALSE(lines.drawable());
        lines.draw({"bar"});
        lines.print("log\n");
        std::array<char, 100> buffer{};
        const ssize_t count = ::read(ends[0], buffer.data(), buffer.size());
        CHECK(std::string(buffer.data(), static_cast<std::size_t>(count)) == "log\n");
        ::close(ends[0]);
        ::close(ends[1]);
    }
    SUBCASE("a terminal that cannot move its cursor") {
        Terminal terminal;
        ::setenv("TERM", "dumb", 1);
        CHECK_FALSE(StatusLines(terminal.program).drawable());
    }
}
