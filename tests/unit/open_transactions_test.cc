// What the walsender sends of running transactions, and what becomes of it.
#include "replicator/wal/open_transactions.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "sql/error.h"
#include "tests/support/streamed_wal.h"
#include "tests/support/wal_script.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

struct Reading {
    OpenTransactions open{{}, 1};
    std::vector<std::string> passed;

    // Each is taken, and what it sets free is passed on.
    void take(const std::vector<std::string>& messages) {
        for (const std::string& message : messages) {
            if (!open.take(message)) passed.push_back(message);
            while (const auto next = open.next()) passed.emplace_back(*next);
        }
    }
};

const std::string table = wal_relation(1, "t", {"id"});

std::string row(const char* value) { return wal_insert(1, {value}); }

}  // namespace

TEST_CASE("a running transaction passes when it commits, as if it had come whole") {
    Reading reading;
    reading.take({stream_start(7, true), streamed(7, table), streamed(7, row("1")), stream_stop()});
    CHECK(reading.open.count() == 1);
    reading.take({stream_start(7, false), streamed(8, row("2")),
                  streamed(7, wal_message(true, Lsn{0x15}, "prefix", "content")), stream_stop()});
    CHECK(reading.passed.empty());
    reading.take({stream_commit(7, Lsn{0x20}, Lsn{0x30})});
    CHECK(reading.passed == std::vector<std::string>{wal_begin(Lsn{0x20}, 7), table, row("1"), row("2"),
                                                     wal_message(true, Lsn{0x15}, "prefix", "content"),
                                                     wal_commit(Lsn{0x20}, Lsn{0x30})});
    CHECK(reading.open.count() == 0);
}

TEST_CASE("whole transactions and others' chunks come in between") {
    Reading reading;
    const std::vector<std::string> whole = {wal_begin(Lsn{0x20}, 9), table, row("9"), wal_commit(Lsn{0x20}, Lsn{0x21})};
    reading.take({stream_start(7, true), streamed(7, table), streamed(7, row("7")), stream_stop()});
    reading.take({stream_start(8, true), streamed(8, table), streamed(8, row("8")), stream_stop()});
    reading.take(whole);
    CHECK(reading.passed == whole);
    reading.passed.clear();
    reading.take({stream_start(7, false), streamed(7, row("77")), stream_stop()});
    reading.take({stream_commit(8, Lsn{0x30}, Lsn{0x31}), stream_commit(7, Lsn{0x40}, Lsn{0x41})});
    CHECK(reading.passed == std::vector<std::string>{wal_begin(Lsn{0x30}, 8), table, row("8"),
                                                     wal_commit(Lsn{0x30}, Lsn{0x31}), table, wal_begin(Lsn{0x40}, 7),
                                                     table, row("7"), row("77"), wal_commit(Lsn{0x40}, Lsn{0x41}),
                                                     table});
}

TEST_CASE("what is rolled back leaves nothing: the whole, a subtransaction, those within it") {
    Reading reading;
    reading.take({stream_start(7, true), streamed(7, table), streamed(7, row("1")), streamed(8, row("2")),
                  streamed(9, row("3")), streamed(8, row("4")), stream_stop(), stream_abort(7, 9), stream_abort(7, 8)});
    reading.take({stream_start(7, false), streamed(7, row("5")), streamed(10, row("6")), stream_stop(),
                  stream_start(7, false), streamed(11, row("7")), stream_stop(), stream_abort(7, 11),
                  stream_abort(7, 12), stream_commit(7, Lsn{0x20}, Lsn{0x30})});
    CHECK(reading.passed == std::vector<std::string>{wal_begin(Lsn{0x20}, 7), table, row("1"), row("5"), row("6"),
                                                     wal_commit(Lsn{0x20}, Lsn{0x30})});
    reading.passed.clear();
    reading.take({stream_start(20, true), streamed(20, table), stream_stop(), stream_abort(20, 20)});
    CHECK(reading.open.count() == 0);
    // The number begins afresh, though it never does on a server before all others have been used.
    reading.take({stream_start(20, true), stream_stop(), stream_commit(20, Lsn{0x40}, Lsn{0x50})});
    CHECK(reading.passed == std::vector<std::string>{wal_begin(Lsn{0x40}, 20), wal_commit(Lsn{0x40}, Lsn{0x50})});
}

TEST_CASE("the definition that came last holds after a transaction that began before it") {
    const std::string old_name = wal_relation(1, "old", {"id"});
    const std::string new_name = wal_relation(1, "new", {"id"});
    Reading reading;
    reading.take({stream_start(7, true), streamed(7, old_name), streamed(7, row("7")), stream_stop()});
    SUBCASE("in a whole transaction") {
        reading.take({wal_begin(Lsn{0x20}, 9), new_name, row("9"), wal_commit(Lsn{0x20}, Lsn{0x21})});
    }
    SUBCASE("in another running one, which commits before") {
        reading.take({stream_start(9, true), streamed(9, new_name), streamed(9, row("9")), stream_stop(),
                      stream_commit(9, Lsn{0x20}, Lsn{0x21})});
    }
    reading.passed.clear();
    reading.take({stream_commit(7, Lsn{0x30}, Lsn{0x31})});
    CHECK(reading.passed == std::vector<std::string>{wal_begin(Lsn{0x30}, 7), old_name, row("7"),
                                                     wal_commit(Lsn{0x30}, Lsn{0x31}), new_name});
}

TEST_CASE("its own definition holds after a transaction that changed it, unless that was undone") {
    const std::string altered = wal_relation(1, "t", {"id", "more"});
    Reading reading;
    reading.take({wal_begin(Lsn{0x10}, 6), table, row("6"), wal_commit(Lsn{0x10}, Lsn{0x11})});
    reading.take({stream_start(7, true), streamed(7, table), streamed(7, row("7")), streamed(8, altered),
                  streamed(8, wal_insert(1, {"8", "8"})), stream_stop()});
    reading.passed.clear();
    SUBCASE("it holds") {
        reading.take({stream_commit(7, Lsn{0x30}, Lsn{0x31})});
        CHECK(reading.passed == std::vector<std::string>{wal_begin(Lsn{0x30}, 7), table, row("7"), altered,
                                                         wal_insert(1, {"8", "8"}), wal_commit(Lsn{0x30}, Lsn{0x31})});
    }
    SUBCASE("it was undone") {
        reading.take({stream_abort(7, 8), stream_commit(7, Lsn{0x30}, Lsn{0x31})});
        CHECK(reading.passed ==
              std::vector<std::string>{wal_begin(Lsn{0x30}, 7), table, row("7"), wal_commit(Lsn{0x30}, Lsn{0x31})});
    }
}

TEST_CASE("an origin is the transaction's, and names no subtransaction") {
    Reading reading;
    const std::string origin = wal_origin(Lsn{0x5}, "elsewhere");
    reading.take({stream_start(7, true), origin, streamed(7, table), streamed(7, row("1")), stream_stop(),
                  stream_commit(7, Lsn{0x20}, Lsn{0x30})});
    CHECK(reading.passed ==
          std::vector<std::string>{wal_begin(Lsn{0x20}, 7), origin, table, row("1"), wal_commit(Lsn{0x20}, Lsn{0x30})});
}

TEST_CASE("what the protocol does not allow is refused") {
    const auto refused = [](const std::vector<std::string>& messages) {
        Reading reading;
        try {
            reading.take(messages);
        } catch (const Error& error) {
            return error.action() == Action::stop;
        }
        return false;
    };
    CHECK(refused({stream_stop()}));
    CHECK(refused({stream_start(7, false)}));
    CHECK(refused({stream_start(7, true), stream_start(8, true)}));
    CHECK(refused({stream_start(7, true), stream_stop(), stream_start(7, true)}));
    CHECK(refused({stream_commit(7, Lsn{1}, Lsn{2})}));
    CHECK(refused({stream_abort(7, 7)}));
    CHECK(refused({stream_start(7, true), stream_commit(7, Lsn{1}, Lsn{2})}));
    CHECK(refused({stream_start(7, true), stream_abort(7, 7)}));
    CHECK(refused({stream_start(7, true), "I12"}));
    CHECK(refused({"S12"}));
    CHECK(refused({stream_stop() + "x"}));
    CHECK(refused({stream_start(7, true), stream_stop(), stream_commit(7, Lsn{1}, Lsn{2}) + "x"}));
}
