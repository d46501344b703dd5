// Messages kept until they are read back.
#include "replicator/wal/spool.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgsluice;

namespace {

std::vector<std::string> read_all(Spool& spool) {
    std::vector<std::string> messages;
    while (const auto message = spool.next()) messages.emplace_back(*message);
    return messages;
}

}  // namespace

TEST_CASE("messages come back as they were appended, from memory and from the file") {
    for (const std::size_t in_memory : {std::size_t{1}, std::size_t{100}, Spool::usual_memory}) {
        CAPTURE(in_memory);
        Spool spool({}, in_memory);
        std::vector<std::string> expected;
        for (std::size_t i = 0; i < 300; ++i) {
            const std::string rest(i * 7, static_cast<char>('a' + i % 26));
            spool.append(i % 2 == 0 ? "I" : "", rest);
            expected.push_back((i % 2 == 0 ? "I" : "") + rest);
        }
        const std::string large(3 * Spool::usual_memory, 'x');
        spool.append("U", large);
        expected.push_back("U" + large);
        spool.append("", "");
        expected.emplace_back();
        CHECK(read_all(spool) == expected);
        CHECK_FALSE(spool.next());
    }
    CHECK_FALSE(Spool().next());
}

TEST_CASE("what was appended since a place is forgotten, in memory and in the file") {
    for (const std::size_t in_memory : {std::size_t{1}, std::size_t{60}, Spool::usual_memory}) {
        CAPTURE(in_memory);
        Spool spool({}, in_memory);
        std::vector<std::string> expected;
        for (int i = 0; i < 40; ++i) {
            const auto place = spool.size();
            for (int n = 0; n <= i % 5; ++n) spool.append("D", "undone " + std::to_string(i));
            if (i % 3 != 0) spool.truncate(place);
            spool.append("I", "kept " + std::to_string(i));
            if (i % 3 == 0)
                for (int n = 0; n <= i % 5; ++n) expected.push_back("Dundone " + std::to_string(i));
            expected.push_back("Ikept " + std::to_string(i));
        }
        CHECK(read_all(spool) == expected);
    }
    Spool emptied({}, 1);
    emptied.append("I", "row");
    emptied.truncate(0);
    CHECK_FALSE(emptied.next());
}

TEST_CASE("no place for the file is an error that names it, and may pass") {
    Spool spool("/nowhere/at all", 10);
    spool.append("I", "a");
    try {
        spool.append("I", "too long for memory");
        FAIL("it was appended");
    } catch (const SpoolError& error) {
        CHECK(error.action() == Action::retry);
        CHECK(std::string(error.what()) ==
              "unable to keep a running transaction in '/nowhere/at all': No such file or directory");
    }
}
