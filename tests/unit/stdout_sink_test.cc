#include "sinks/stdout/sink.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "sinks/file/posix_file.h"

using namespace pgsluice;

// What the disk has been asked to keep: the length of each file synced, in order.
namespace {
thread_local std::vector<off_t> synced;
}

extern "C" int fdatasync(int fd) {
    struct stat status {};
    ::fstat(fd, &status);
    synced.push_back(status.st_size);
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace {

const Log quiet_log = [](LogLevel, std::string_view) {};

RelationPtr numbers() {
    static const auto relation = [] {
        Relation made;
        made.schema = "public";
        made.table = "numbers";
        made.columns = {{"n", 23, -1, true, "integer", 23, 0}};
        return std::make_shared<const Relation>(std::move(made));
    }();
    return relation;
}

const Transaction sample_transaction{7, Lsn{0x100}, Lsn{0x130}, 0};

// A batch of inserts with ordinals from..to of the transaction at LSN 0/100.
void fill(Batch& batch, std::uint64_t from, std::uint64_t to, bool complete = true) {
    batch.clear();
    for (std::uint64_t n = from; n <= to; ++n) {
        const auto row = batch.arena.make<Value>(1);
        row[0] = Value(batch.arena.copy(std::to_string(n)));
        Change change;
        change.relation = numbers().get();
        change.transaction = &sample_transaction;
        change.position = {sample_transaction.commit_lsn, n};
        change.new_row = row;
        batch.changes.push_back(change);
    }
    batch.complete = complete;
    batch.upto = {StreamSeq{to}, {sample_transaction.commit_lsn, to}};
}

struct Pipe {
    Pipe() {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        reader = Fd(ends[0]);
        writer = Fd(ends[1]);
        std::signal(SIGPIPE, SIG_IGN);
    }
    std::string read_available() {
        ::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
        std::string text;
        char piece[65536];
        for (ssize_t got; (got = ::read(reader.get(), piece, sizeof piece)) > 0;)
            text.append(piece, static_cast<std::size_t>(got));
        return text;
    }
    Fd reader, writer;
};

StdoutSinkOptions to_pipe(const Pipe& pipe, std::string checkpoint_file = {}) {
    StdoutSinkOptions options;
    options.fd = pipe.writer.get();
    options.checkpoint_file = std::move(checkpoint_file);
    options.group = "shop";
    return options;
}

// As a full disk, for this process's files.
class SizeLimit {
   public:
    explicit SizeLimit(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit limited = before_;
        limited.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limited);
    }
    ~SizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    SizeLimit(const SizeLimit&) = delete;

   private:
    rlimit before_{};
};

auto count_lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

struct Directory {
    Directory() {
        char name[] = "/tmp/pgsluice_stdout_XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path = name;
    }
    ~Directory() { std::filesystem::remove_all(path); }
    std::string path;
};

}  // namespace

TEST_CASE("a pipe gets lines in blocks, when the sink is flushed or a block is full") {
    Pipe pipe;
    const auto sink = make_stdout_sink(to_pipe(pipe), quiet_log, {});
    CHECK_FALSE(sink->keeps_state());
    CHECK_FALSE(sink->open());
    Batch batch;
    fill(batch, 1, 3);
    sink->apply(batch);
    CHECK(pipe.read_available().empty());
    CHECK(sink->durable() == Checkpoint{});
    sink->flush();
    CHECK(count_lines(pipe.read_available()) == 3);
    CHECK(sink->durable() == batch.upto);
}

TEST_CASE("an incomplete transaction moves no checkpoint") {
    Pipe pipe;
    const auto sink = make_stdout_sink(to_pipe(pipe), quiet_log, {});
    Batch batch;
    fill(batch, 1, 2, false);
    sink->apply(batch);
    sink->flush();
    CHECK(sink->durable() == Checkpoint{});
    fill(batch, 3, 4, true);
    sink->apply(batch);
    sink->flush();
    CHECK(sink->durable() == batch.upto);
}

TEST_CASE("a reader that has gone ends the sink, and nothing unwritten is counted") {
    Pipe pipe;
    const auto sink = make_stdout_sink(to_pipe(pipe), quiet_log, {});
    Batch batch;
    fill(batch, 1, 2);
    sink->apply(batch);
    sink->flush();
    const Checkpoint seen = sink->durable();
    pipe.reader.close();
    CHECK_THROWS_AS(sink->flush(), OutputClosed);  // found out although there is nothing to write
    fill(batch, 3, 4);
    sink->apply(batch);
    CHECK_THROWS_AS(sink->flush(), OutputClosed);
    CHECK(sink->durable() == seen);
}

TEST_CASE("a slow reader gets everything") {
    Pipe pipe;
    std::string text;
    std::thread reader([&] {
        char piece[1000];
        for (ssize_t got; (got = ::read(pipe.reader.get(), piece, sizeof piece)) > 0;)
            text.append(piece, static_cast<std::size_t>(got));
    });
    auto sink = make_stdout_sink(to_pipe(pipe), quiet_log, {});
    Batch batch;
    for (std::uint64_t n = 1; n <= 20000; n += 1000) {
        fill(batch, n, n + 999);
        sink->apply(batch);
    }
    sink->close();
    sink.reset();
    pipe.writer.close();
    reader.join();
    CHECK(count_lines(text) == 20000);
    CHECK(text.ends_with("\"NewTuple\":{\"n\":20000}}\n"));
}

TEST_CASE("a reader that takes nothing does not keep us from stopping") {
    Pipe pipe;
    std::stop_source stop;
    const auto sink = make_stdout_sink(to_pipe(pipe), quiet_log, stop.get_token());
    stop.request_stop();
    Batch batch;
    fill(batch, 1, 5000);
    CHECK_THROWS_AS(
        {
            sink->apply(batch);
            sink->flush();
        },
        Interrupted);
    CHECK(sink->durable() == Checkpoint{});
}

TEST_CASE("a reader that takes little does not keep us from stopping") {
    Pipe pipe;
    std::stop_source stop;
    const auto sink = make_stdout_sink(to_pipe(pipe), quiet_log, stop.get_token());
    stop.request_stop();
    char piece[4096];
    sink->while_waiting([&] { CHECK(::read(pipe.reader.get(), piece, sizeof piece) > 0); });
    Batch batch;
    fill(batch, 1, 10000);
    CHECK_THROWS_AS(sink->apply(batch), Interrupted);
}

TEST_CASE("a reader that is slow but steady does not keep us from reporting") {
    Pipe pipe;
    std::jthread reader([&](const std::stop_token& stop) {
        char piece[1000];
        while (!stop.stop_requested() && ::read(pipe.reader.get(), piece, sizeof piece) > 0) {
        }
        pipe.reader.close();
    });
    const auto sink = make_stdout_sink(to_pipe(pipe), quiet_log, {});
    const auto begun = std::chrono::steady_clock::now();
    int told = 0;
    sink->while_waiting([&] { ++told; });
    Batch batch;
    fill(batch, 1, 1000);
    while (told < 3 && std::chrono::steady_clock::now() - begun < std::chrono::seconds(20)) sink->apply(batch);
    CHECK(told >= 3);
    reader.request_stop();
    const ssize_t woken = ::write(pipe.writer.get(), "\n", 1);
    CHECK(woken <= 1);
}

TEST_CASE("a socket that is not read does not keep us from stopping, and one that is closed ends the sink") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    Fd reader(ends[0]);
    const Fd writer(ends[1]);
    StdoutSinkOptions options;
    options.fd = writer.get();
    Batch batch;
    fill(batch, 1, 10000);
    {
        std::stop_source stop;
        const auto sink = make_stdout_sink(options, quiet_log, stop.get_token());
        stop.request_stop();
        CHECK_THROWS_AS(sink->apply(batch), Interrupted);
    }
    const auto sink = make_stdout_sink(options, quiet_log, {});
    reader.close();
    CHECK_THROWS_AS(sink->flush(), OutputClosed);
    CHECK_THROWS_AS(sink->apply(batch), OutputClosed);
}

TEST_CASE("a terminal gets each line at once, and a blocked one does not keep us from stopping") {
    const Fd screen(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(screen.open());
    REQUIRE((::grantpt(screen.get()) == 0 && ::unlockpt(screen.get()) == 0));
    const Fd terminal(::open(::ptsname(screen.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(terminal.open());
    StdoutSinkOptions options;
    options.fd = terminal.get();
    std::stop_source stop;
    const auto sink = make_stdout_sink(options, quiet_log, stop.get_token());
    Batch batch;
    fill(batch, 1, 1);
    sink->apply(batch);
    char piece[4096];
    const ssize_t got = ::read(screen.get(), piece, sizeof piece);
    REQUIRE(got > 0);
    CHECK(std::string(piece, static_cast<std::size_t>(got)).ends_with("{\"n\":1}}\r\n"));
    CHECK(sink->durable() == batch.upto);
    stop.request_stop();
    fill(batch, 2, 5000);
    CHECK_THROWS_AS(sink->apply(batch), Interrupted);
}

TEST_CASE("a worker that finds a part of a line at the end of its file begins a new line") {
    const Directory directory;
    const std::string path = directory.path + "/lines";
    std::string before;  // what the file holds when we begin
    int how = O_APPEND;
    std::string expected;
    SUBCASE("appending to a part") {
        before = "{\"Type\":\"INS";
        expected = before + '\n';
    }
    SUBCASE("after a part, at the descriptor's place") {
        before = "{\"Type\":\"INS";
        expected = before + '\n';
        how = 0;
    }
    SUBCASE("appending to whole lines") { expected = before = "{}\n"; }
    SUBCASE("to an empty file") {}
    const Fd file = open_file(path, O_WRONLY | O_CREAT | how);
    write_all(file, before, path);
    StdoutSinkOptions options;
    options.fd = file.get();
    Batch batch;
    fill(batch, 1, 1);
    const auto sink = make_stdout_sink(options, quiet_log, {});
    sink->apply(batch);
    sink->flush();
    std::ifstream lines(path);
    const std::string text{std::istreambuf_iterator<char>(lines), {}};
    CHECK(text.substr(0, expected.size()) == expected);
    CHECK(text.substr(expected.size()).starts_with("{\"Type\""));
}

TEST_CASE("a session after one that ended within a line begins a new line") {
    const Directory directory;
    const Fd file = open_file(directory.path + "/lines", O_WRONLY | O_CREAT);
    StdoutSinkOptions options;
    options.fd = file.get();
    Batch batch;
    fill(batch, 1, 3);
    {
        const SizeLimit limit(200);
        const auto sink = make_stdout_sink(options, quiet_log, {});
        sink->apply(batch);
        CHECK_THROWS_AS(sink->flush(), Error);
    }
    for (int session = 0; session < 2; ++session) {
        const auto sink = make_stdout_sink(options, quiet_log, {});
        sink->apply(batch);
        sink->flush();
    }
    std::ifstream lines(directory.path + "/lines");
    std::string line;
    REQUIRE(std::getline(lines, line));
    CHECK_FALSE(line.ends_with("}}"));
    int whole = 0;
    for (; std::getline(lines, line); ++whole) {
        CHECK(line.starts_with("{\"Type\""));
        CHECK(line.ends_with("}}"));
    }
    CHECK(whole == 6);
}

TEST_CASE("lines in a file are on the disk before a checkpoint says so") {
    const Directory directory;
    const Fd file = open_file(directory.path + "/lines", O_WRONLY | O_CREAT);
    StdoutSinkOptions options;
    options.fd = file.get();
    SUBCASE("in a checkpoint file") { options.checkpoint_file = directory.path + "/position"; }
    SUBCASE("in KV") {}
    const auto sink = make_stdout_sink(options, quiet_log, {});
    sink->open();
    Batch batch;
    synced.clear();
    for (const std::uint64_t n : {1U, 2U}) {
        fill(batch, n, n);
        sink->apply(batch);
        if (n == 1) sink->flush();
        if (n == 2) sink->close();
        CHECK(sink->durable() == batch.upto);
        REQUIRE_FALSE(synced.empty());
        CHECK(synced.front() == static_cast<off_t>(std::filesystem::file_size(directory.path + "/lines")));
        synced.clear();
        sink->apply(batch);
        sink->flush();  // too soon to sync again
        CHECK(synced.empty());
        CHECK(sink->durable() == batch.upto);
    }
}

TEST_CASE("when there is no room for the checkpoint, nothing is printed again") {
    const Directory directory;
    const std::string path = directory.path + "/position";
    Pipe pipe;
    std::string logged;
    std::stop_source stop;
    const auto sink = make_stdout_sink(
        to_pipe(pipe, path), [&](LogLevel, std::string_view text) { logged += text; }, stop.get_token());
    sink->open();
    Batch batch;
    fill(batch, 1, 2);
    {
        const SizeLimit limit(10);
        sink->apply(batch);
        sink->flush();
        CHECK(logged.find("position.new") != std::string::npos);
        CHECK(sink->durable() == Checkpoint{});
        sink->while_waiting([&] { stop.request_stop(); });
        CHECK_THROWS_AS(sink->close(), Interrupted);
    }
    sink->close();
    CHECK(sink->durable() == batch.upto);
    CHECK(count_lines(pipe.read_available()) == 2);
}

TEST_CASE("the checkpoint file says where to continue, and whose it is") {
    const Directory directory;
    const std::string path = directory.path + "/position";
    Pipe pipe;
    Batch batch;
    {
        const auto sink = make_stdout_sink(to_pipe(pipe, path), quiet_log, {});
        CHECK(sink->keeps_state());
        CHECK_FALSE(sink->open());
        fill(batch, 1, 2);
        sink->apply(batch);
        sink->close();
        CHECK(sink->durable() == batch.upto);
        CHECK_THROWS_AS(make_stdout_sink(to_pipe(pipe, path), quiet_log, {})->open(), Error);  // locked
    }
    const auto state = make_stdout_sink(to_pipe(pipe, path), quiet_log, {})->open();
    REQUIRE(state);
    CHECK(state->checkpoint == batch.upto);
    StdoutSinkOptions other = to_pipe(pipe, path);
    other.group = "other";
    CHECK_THROWS_AS(make_stdout_sink(other, quiet_log, {})->open(), Error);
    std::ofstream(path) << "something else\n";
    CHECK_THROWS_AS(make_stdout_sink(to_pipe(pipe, path), quiet_log, {})->open(), Error);
}

TEST_CASE("a copy that starts over is marked, the first one and a resumed one are not") {
    const Directory directory;
    const std::string path = directory.path + "/position";
    Pipe pipe;
    SnapshotBegin begin;
    const Checkpoint marker{StreamSeq{5}, {}};
    {
        const auto sink = make_stdout_sink(to_pipe(pipe, path), quiet_log, {});
        sink->open();
        begin.epoch = 1;
        sink->begin_snapshot(begin, {numbers()}, marker);
        sink->close();
        CHECK(pipe.read_available().empty());
    }
    {
        const auto sink = make_stdout_sink(to_pipe(pipe, path), quiet_log, {});
        const auto state = sink->open();
        REQUIRE(state);
        CHECK(state->loading_epoch == 1);
        CHECK(state->begin_seq == StreamSeq{5});
        sink->begin_snapshot(begin, {numbers()}, marker);
        begin.epoch = 2;
        sink->begin_snapshot(begin, {numbers()}, marker);  // whoever is killed from here on has printed the marker
        CHECK(pipe.read_available().starts_with(R"({"Type":"SNAPSHOT","Epoch":2,)"));
    }
    const auto sink = make_stdout_sink(to_pipe(pipe, path), quiet_log, {});
    CHECK(sink->open()->loading_epoch == 2);
    sink->end_snapshot({}, {StreamSeq{9}, {}});
    sink->close();
    CHECK(sink->durable() == Checkpoint{StreamSeq{9}, {}});
}
