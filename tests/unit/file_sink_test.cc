#include "sinks/file/sink.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "sinks/file/line_file_name.h"
#include "tests/support/read_file.h"
#include "tests/unit/sink_batches.h"

using namespace pgsluice;
using namespace pgsluice::test;
namespace fs = std::filesystem;

namespace {

const Log quiet_log = [](LogLevel, std::string_view) {};

constexpr std::uint64_t rows_per_transaction = 3;  // per transaction

FileSinkOptions small_files(const std::string& directory, bool zstd = false) {
    FileSinkOptions options;
    options.output_dir = directory;
    options.group = "shop";
    options.max_size_bytes = zstd ? 1000 : 4000;
    options.commit_interval_ms = 0;
    options.zstd = zstd;
    return options;
}

std::string decompressed(const std::string& bytes) {
    std::string text(8 << 20, '\0');
    const std::size_t size = ZSTD_decompress(text.data(), text.size(), bytes.data(), bytes.size());
    REQUIRE_FALSE(ZSTD_isError(size));
    text.resize(size);
    return text;
}

std::map<std::string, std::string> finished_files(const std::string& directory) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(directory)) {
        const std::string name = entry.path().filename();
        if (parse_line_file_name(name).kind == LineFileName::Kind::finished) files[name] = read_file(entry.path());
    }
    return files;
}

std::vector<std::string> names_of(const std::string& directory, LineFileName::Kind kind) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) {
        const std::string name = entry.path().filename();
        if (parse_line_file_name(name).kind == kind) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = text.find('\n', at);
        REQUIRE_MESSAGE(end != std::string::npos, "a torn line");
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

// The values of column n, over the finished files in the order of their names and the open one behind them.
std::vector<std::uint64_t> numbers_in(const std::string& directory) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) {
        if (entry.path().filename() != "pgsluice.state") names.insert(entry.path().filename());
    }
    std::vector<std::uint64_t> numbers;
    for (const std::string& name : names) {
        std::string text = read_file(directory + "/" + name);
        if (is_zstd_name(name)) text = decompressed(text);
        for (const std::string& line : lines_of(text)) {
            CHECK(line.ends_with("}}"));
            const std::size_t at = line.find(R"("NewTuple":{"n":)");
            REQUIRE(at != std::string::npos);
            numbers.push_back(std::strtoull(line.c_str() + at + 16, nullptr, 10));
        }
    }
    return numbers;
}

std::vector<std::uint64_t> all_numbers(std::uint64_t transactions) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t t = 1; t <= transactions; ++t) {
        for (std::uint64_t row = 1; row <= rows_per_transaction; ++row) numbers.push_back(t * 1000 + row);
    }
    return numbers;
}

// What a worker does: goes on from the sink's state up to transaction `last`; every fifth comes in two pieces.
enum class End { in_order, killed };
void work(const FileSinkOptions& options, std::uint64_t last, End end = End::in_order) {
    const auto sink = make_file_sink(options, quiet_log, {});
    const auto state = sink->open();
    Batch batch;
    for (std::uint64_t t = state ? state->checkpoint.resume_seq.value : 1; t <= last; ++t) {
        if (t % 5 == 0) {
            fill(batch, t, 1, 1, false);
            sink->apply(batch);
            sink->flush();
        }
        fill(batch, t, t % 5 == 0 ? 2 : 1, rows_per_transaction);
        sink->apply(batch);
        if (t % 3 == 0) sink->flush();
    }
    if (end == End::in_order) return sink->close();
    while (sink->durable() != batch.upto) sink->flush();
}

#ifdef PGSLUICE_FAILPOINTS
// Runs the child test case below in a process of its own; its wait status.
int run_child(const std::string& directory, bool zstd, const std::string& failpoint) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::setenv("PGSLUICE_TEST_DIRECTORY", directory.c_str(), 1);
        ::setenv("PGSLUICE_TEST_ZSTD", zstd ? "1" : "", 1);
        ::setenv("PGSLUICE_FAILPOINT", failpoint.c_str(), 1);
        const int null = ::open("/dev/null", O_WRONLY);
        ::dup2(null, 1);
        ::execl("/proc/self/exe", "file_sink_child", "-tc=child of the file sink's crash test", "--no-skip", nullptr);
        ::_exit(127);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}
#endif

constexpr std::uint64_t crash_transactions = 60;

}  // namespace

TEST_CASE("child of the file sink's crash test" * doctest::skip()) {
    const char* directory = std::getenv("PGSLUICE_TEST_DIRECTORY");
    REQUIRE(directory != nullptr);
    const char* zstd = std::getenv("PGSLUICE_TEST_ZSTD");
    work(small_files(directory, zstd != nullptr && *zstd != '\0'), crash_transactions);
}

#ifdef PGSLUICE_FAILPOINTS
TEST_CASE("killed at any step, every change is there exactly once and finished files stay as they are") {
    for (const bool zstd : {false, true}) {
        for (const std::string_view failpoint :
             {"file-write", "file-before-checkpoint", "file-after-checkpoint", "file-rename"}) {
            const Directory directory;
            std::map<std::string, std::string> finished;
            int crashes = 0;
            // Each life gets a little further before it is killed, until one gets through.
            for (int hits = 1; hits < 200; ++hits) {
                const int status = run_child(directory.path, zstd, fmt::format("{}:{}", failpoint, hits));
                const auto now = finished_files(directory.path);
                for (const auto& [name, bytes] : finished) {
                    REQUIRE(now.contains(name));
                    CHECK(now.at(name) == bytes);
                }
                finished = now;
                if (WIFEXITED(status)) {
                    REQUIRE(WEXITSTATUS(status) == 0);
                    break;
                }
                REQUIRE(WTERMSIG(status) == SIGKILL);
                ++crashes;
            }
            CAPTURE(failpoint);
            CAPTURE(zstd);
            CHECK(crashes > 2);
            CHECK(numbers_in(directory.path) == all_numbers(crash_transactions));
        }
    }
}
#endif

TEST_CASE("files are 0640, less what the umask takes") {
    for (const auto& [mask, wanted] : {std::pair<mode_t, unsigned>{0, 0640}, std::pair<mode_t, unsigned>{0077, 0600}}) {
        const Directory directory;
        const mode_t before = ::umask(mask);
        for (const bool zstd : {false, true}) {
            FileSinkOptions options = small_files(directory.path + (zstd ? "/zstd" : "/plain"), zstd);
            fs::create_directory(options.output_dir);
            work(options, 60);
        }
        ::umask(before);
        std::size_t files = 0;
        for (const auto& entry : fs::recursive_directory_iterator(directory.path)) {
            if (!entry.is_regular_file()) continue;
            CAPTURE(entry.path().string());
            CHECK(static_cast<unsigned>(entry.status().permissions() & fs::perms::mask) == wanted);
            ++files;
        }
        CHECK(files > 4);
    }
}

TEST_CASE("files are rotated by size, at the end of a transaction") {
    const Directory directory;
    work(small_files(directory.path), 60);
    const auto finished = finished_files(directory.path);
    CHECK(finished.size() > 5);
    for (const auto& [name, bytes] : finished) {
        if (name != finished.rbegin()->first) CHECK(bytes.size() >= 4000);  // the last one the worker's end finished
        CHECK(bytes.size() < 6000);
        CHECK(lines_of(bytes).size() % rows_per_transaction == 0);
        CHECK(lines_of(bytes)[0].find(R"("Ordinal":1,)") != std::string::npos);
    }
    CHECK(numbers_in(directory.path) == all_numbers(60));
}

TEST_CASE("files are rotated by age, also when nothing more comes") {
    const Directory directory;
    FileSinkOptions options = small_files(directory.path);
    options.max_age_ms = 1;
    const auto sink = make_file_sink(options, quiet_log, {});
    CHECK_FALSE(sink->open());
    Batch batch;
    fill(batch, 1, 1, rows_per_transaction);
    sink->apply(batch);
    while (finished_files(directory.path).empty()) sink->flush();
    CHECK(sink->durable() == batch.upto);
    CHECK(numbers_in(directory.path) == all_numbers(1));
    CHECK(names_of(directory.path, LineFileName::Kind::part).empty());
}

TEST_CASE("a worker that ends in order finishes its file, and the next one begins another") {
    for (const bool zstd : {false, true}) {
        const Directory directory;
        FileSinkOptions options = small_files(directory.path, zstd);
        options.max_size_bytes = 100 << 20;
        work(options, 4);
        CHECK(names_of(directory.path, LineFileName::Kind::part).empty());
        const auto first = finished_files(directory.path);
        CHECK(first.size() == 1);
        work(options, 4);  // nothing came
        CHECK(finished_files(directory.path) == first);
        work(options, 9);
        CHECK(names_of(directory.path, LineFileName::Kind::part).empty());
        CHECK(finished_files(directory.path).size() == 2);
        CHECK(numbers_in(directory.path) == all_numbers(9));
    }
}

TEST_CASE("a restart after a crash continues the open file") {
    for (const bool zstd : {false, true}) {
        const Directory directory;
        FileSinkOptions options = small_files(directory.path, zstd);
        options.max_size_bytes = 100 << 20;
        work(options, 4, End::killed);
        const auto open = names_of(directory.path, LineFileName::Kind::part);
        REQUIRE(open.size() == 1);
        work(options, 9, End::killed);
        CHECK(names_of(directory.path, LineFileName::Kind::part) == open);
        CHECK(finished_files(directory.path).empty());
        CHECK(numbers_in(directory.path) == all_numbers(9));
        options.zstd = !zstd;  // the other kind gets a file of its own
        work(options, 12, End::killed);
        CHECK(finished_files(directory.path).size() == 1);
        CHECK(numbers_in(directory.path) == all_numbers(12));
    }
}

TEST_CASE("another format begins a file of its own") {
    const Directory directory;
    FileSinkOptions options = small_files(directory.path);
    options.max_size_bytes = 100 << 20;
    work(options, 4, End::killed);
    options.format = LineFormat::debezium;
    work(options, 9, End::killed);
    work(options, 12, End::killed);
    const auto finished = finished_files(directory.path);
    REQUIRE(finished.size() == 1);
    CHECK(finished.begin()->second.find(R"("op":)") == std::string::npos);
    const auto open = names_of(directory.path, LineFileName::Kind::part);
    REQUIRE(open.size() == 1);
    CHECK(read_file(directory.path + "/" + open[0]).find(R"("Type":)") == std::string::npos);
}

TEST_CASE("a transaction that is not complete is not counted, and close() leaves it out") {
    const Directory directory;
    const FileSinkOptions options = small_files(directory.path);
    {
        const auto sink = make_file_sink(options, quiet_log, {});
        sink->open();
        Batch batch;
        fill(batch, 1, 1, rows_per_transaction);
        sink->apply(batch);
        sink->flush();
        const Checkpoint first = batch.upto;
        fill(batch, 2, 1, 1, false);
        sink->apply(batch);
        sink->flush();
        CHECK(sink->durable() == first);
        sink->close();
        CHECK(sink->durable() == first);
    }
    CHECK(numbers_in(directory.path) == all_numbers(1));
    work(options, 2);
    CHECK(numbers_in(directory.path) == all_numbers(2));
}

TEST_CASE("a copy's files appear when it has ended, and a new attempt throws the old one's away") {
    const Directory directory;
    FileSinkOptions options = small_files(directory.path);
    SnapshotBegin begin;
    Batch batch;
    {
        const auto sink = make_file_sink(options, quiet_log, {});
        sink->open();
        begin.epoch = 1;
        begin.consistent_point = position_of(1, 0).commit;
        sink->begin_snapshot(begin, {numbers()}, {StreamSeq{2}, {}});
        for (std::uint64_t row = 1; row <= 40; ++row) {
            fill_snapshot(batch, 1, row);
            sink->apply(batch);
        }
        sink->flush();
        CHECK(names_of(directory.path, LineFileName::Kind::snapshot).size() > 1);
    }
    {
        const auto sink = make_file_sink(options, quiet_log, {});
        const auto state = sink->open();
        REQUIRE(state);
        CHECK(state->loading_epoch == 1);
        CHECK(state->begin_seq == StreamSeq{2});
        CHECK(numbers_in(directory.path).size() == 40);
        sink->begin_snapshot(begin, {numbers()}, {StreamSeq{2}, {}});  // the same epoch again: kept
        CHECK(numbers_in(directory.path).size() == 40);
        begin.epoch = 2;
        begin.consistent_point = position_of(2, 0).commit;
        sink->begin_snapshot(begin, {numbers()}, {StreamSeq{50}, {}});
        CHECK(numbers_in(directory.path).empty());
        for (std::uint64_t row = 1; row <= 30; ++row) {
            fill_snapshot(batch, 2, row);
            sink->apply(batch);
        }
        CHECK(finished_files(directory.path).empty());
        sink->end_snapshot({}, {StreamSeq{60}, {}});
        CHECK(sink->durable() == Checkpoint{StreamSeq{60}, {}});
    }
    CHECK(finished_files(directory.path).size() > 1);
    CHECK(names_of(directory.path, LineFileName::Kind::snapshot).empty());
    const auto loaded = numbers_in(directory.path);
    REQUIRE(loaded.size() == 30);
    CHECK(loaded.front() == 2001);
    CHECK(loaded.back() == 2030);
    const auto state = make_file_sink(options, quiet_log, {})->open();
    REQUIRE(state);
    CHECK(state->loading_epoch == 0);
}

TEST_CASE("another copy of the same number throws away what the first one wrote") {
    const Directory directory;
    const FileSinkOptions options = small_files(directory.path);
    SnapshotBegin begin;
    begin.epoch = 3;
    Batch batch;
    for (const std::uint64_t point : {3U, 4U}) {
        const auto sink = make_file_sink(options, quiet_log, {});
        sink->open();
        begin.consistent_point = position_of(point, 0).commit;
        sink->begin_snapshot(begin, {numbers()}, {StreamSeq{2}, {begin.consistent_point, 0}});
        CHECK(numbers_in(directory.path).empty());
        for (std::uint64_t row = 1; row <= 40; ++row) {
            fill_snapshot(batch, point, row);
            sink->apply(batch);
        }
        sink->flush();
        if (point == 4) sink->end_snapshot({}, {StreamSeq{60}, {}});
    }
    const auto loaded = numbers_in(directory.path);
    REQUIRE(loaded.size() == 40);
    CHECK(loaded.front() == 4001);
}

TEST_CASE("a sink that is to start over throws away what it has of the copy under way") {
    const Directory directory;
    const FileSinkOptions options = small_files(directory.path);
    SnapshotBegin begin;
    begin.epoch = 3;
    begin.consistent_point = position_of(3, 0).commit;
    const Checkpoint marker{StreamSeq{2}, {begin.consistent_point, 0}};
    Batch batch;
    for (const bool again : {false, true}) {
        const auto sink = make_file_sink(options, quiet_log, {});
        sink->open();
        if (again) sink->start_over();
        sink->begin_snapshot(begin, {numbers()}, marker);
        CHECK(numbers_in(directory.path).empty());
        for (std::uint64_t row = 1; row <= 40; ++row) {
            fill_snapshot(batch, 3, row);
            sink->apply(batch);
        }
        sink->begin_snapshot(begin, {numbers()}, marker);  // a repeated marker throws nothing away
        sink->flush();
        CHECK(numbers_in(directory.path).size() == 40);
    }
}

TEST_CASE("a copy after a finished one begins with a line that says so, also after a crash") {
    const Directory directory;
    const FileSinkOptions options = small_files(directory.path);
    SnapshotBegin begin;
    Batch batch;
    std::uint64_t seq = 2;
    for (begin.epoch = 1; begin.epoch <= 3; ++begin.epoch) {
        {
            const auto sink = make_file_sink(options, quiet_log, {});
            sink->open();
            sink->begin_snapshot(begin, {numbers()}, {StreamSeq{seq}, {}});
        }  // dies before it was handed a row
        const auto sink = make_file_sink(options, quiet_log, {});
        sink->open();
        sink->begin_snapshot(begin, {numbers()}, {StreamSeq{seq}, {}});
        if (begin.epoch == 2) continue;  // this one does not end: its line goes with its rows
        fill_snapshot(batch, begin.epoch, 1);
        sink->apply(batch);
        seq += 10;
        sink->end_snapshot({}, {StreamSeq{seq}, {}});
    }
    std::string text;
    for (const auto& [name, lines] : finished_files(directory.path)) text += lines;
    const auto lines = lines_of(text);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].find(R"("NewTuple":{"n":1001)") != std::string::npos);
    CHECK(lines[1].starts_with(R"({"Type":"SNAPSHOT","Epoch":3,)"));
    CHECK(lines[2].find(R"("NewTuple":{"n":3001)") != std::string::npos);
}

TEST_CASE("a copy in the middle of a transaction throws its half away and nothing before it") {
    const Directory directory;
    FileSinkOptions options = small_files(directory.path);
    options.commit_interval_ms = 3600 * 1000;
    const auto sink = make_file_sink(options, quiet_log, {});
    sink->open();
    Batch batch;
    for (std::uint64_t transaction = 1; transaction <= 2; ++transaction) {
        fill(batch, transaction, 1, rows_per_transaction);
        sink->apply(batch);
    }
    const Checkpoint whole = batch.upto;
    for (std::uint64_t piece = 1; piece <= 2; ++piece) {
        fill(batch, 3, piece, piece, false);
        sink->apply(batch);
        sink->flush();
        CHECK(sink->durable() == whole);
    }
    SnapshotBegin begin;
    begin.epoch = 2;
    sink->begin_snapshot(begin, {}, {StreamSeq{9}, {}});
    const auto finished = finished_files(directory.path);
    REQUIRE(finished.size() == 1);
    CHECK(lines_of(finished.begin()->second).size() == 2 * rows_per_transaction);
    fill_snapshot(batch, 2, 1);
    sink->apply(batch);
    sink->end_snapshot({}, {StreamSeq{11}, {}});
    std::string text;
    for (const auto& [name, lines] : finished_files(directory.path)) text += lines;
    CHECK(text.find(R"("n":3001)") == std::string::npos);
    const auto lines = lines_of(text);
    REQUIRE(lines.size() == 2 * rows_per_transaction + 2);
    CHECK(lines[2 * rows_per_transaction].starts_with(R"({"Type":"SNAPSHOT","Epoch":2,)"));
    CHECK(lines.back().find(R"("NewTuple":{"n":2001)") != std::string::npos);
}

TEST_CASE("a copy with the number of one that ended, as after the KV bucket was lost, can be thrown away") {
    const Directory directory;
    const FileSinkOptions options = small_files(directory.path);
    Batch batch;
    SnapshotBegin begin;
    const auto load = [&](Sink& sink, std::uint64_t epoch, std::uint64_t first, std::uint64_t count) {
        begin.epoch = epoch;
        sink.begin_snapshot(begin, {}, {StreamSeq{2}, {}});
        for (std::uint64_t row = first; row < first + count; ++row) {
            fill_snapshot(batch, epoch, row);
            sink.apply(batch);
        }
        sink.flush();
    };
    {
        const auto sink = make_file_sink(options, quiet_log, {});
        sink->open();
        load(*sink, 2, 1, 1);
        sink->end_snapshot({}, {StreamSeq{5}, {}});
    }
    const auto ended = finished_files(directory.path);
    {
        const auto sink = make_file_sink(options, quiet_log, {});
        sink->open();
        load(*sink, 1, 1, 1);  // does not end either
        load(*sink, 2, 101, 60);
        CHECK_FALSE(names_of(directory.path, LineFileName::Kind::snapshot).empty());
        CHECK(finished_files(directory.path) == ended);
    }
    const auto sink = make_file_sink(options, quiet_log, {});
    sink->open();
    CHECK(finished_files(directory.path) == ended);
    load(*sink, 3, 1, 1);
    CHECK(finished_files(directory.path) == ended);
    CHECK(names_of(directory.path, LineFileName::Kind::snapshot).empty());
    sink->end_snapshot({}, {StreamSeq{9}, {}});
    CHECK(finished_files(directory.path).size() == ended.size() + 1);
    CHECK(finished_files(directory.path).rbegin()->second.starts_with(R"({"Type":"SNAPSHOT","Epoch":3,)"));
}

TEST_CASE("a limit on the file's size, as a full disk, is survived without a line lost or doubled") {
    const Directory directory;
    FileSinkOptions options = small_files(directory.path);
    options.max_size_bytes = 100 << 20;
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    rlimit limited = before;
    limited.rlim_cur = 20001;
    ::setrlimit(RLIMIT_FSIZE, &limited);
    bool failed = false;
    try {
        work(options, 500);
    } catch (const Error& error) {
        failed = true;
        CHECK(error.action() == Action::retry);
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    REQUIRE(failed);
    work(options, 500);
    CHECK(numbers_in(directory.path) == all_numbers(500));
}

TEST_CASE("a full disk is survived without a line lost or doubled") {
    const Directory directory;
    if (::mount("none", directory.path.c_str(), "tmpfs", 0, "size=256k") != 0) {
        MESSAGE("not allowed to mount a small tmpfs: skipped");
        return;
    }
    const std::shared_ptr<void> mounted(nullptr, [&](void*) { ::umount(directory.path.c_str()); });
    FileSinkOptions options = small_files(directory.path + "/out");
    const std::string ballast = directory.path + "/ballast";
    std::ofstream(ballast) << std::string(200000, 'x');
    bool failed = false;
    try {
        work(options, 60);
    } catch (const Error& error) {
        failed = true;
        CHECK(error.action() == Action::retry);
    }
    CHECK(failed);
    fs::remove(ballast);
    work(options, 60);
    CHECK(numbers_in(options.output_dir) == all_numbers(60));
}

TEST_CASE("one worker per directory, one group per directory") {
    const Directory directory;
    FileSinkOptions options = small_files(directory.path);
    {
        const auto sink = make_file_sink(options, quiet_log, {});
        sink->open();
        CHECK_THROWS_AS(make_file_sink(options, quiet_log, {})->open(), Error);
    }
    work(options, 1);
    options.group = "other";
    CHECK_THROWS_AS(make_file_sink(options, quiet_log, {})->open(), Error);
}

TEST_CASE("an open file that was cut or removed from outside is an error, not a gap") {
    const Directory directory;
    const FileSinkOptions options = small_files(directory.path);
    work(options, 2, End::killed);
    const fs::path open = directory.path + "/" + names_of(directory.path, LineFileName::Kind::part).at(0);
    fs::resize_file(open, 10);
    CHECK_THROWS_AS(make_file_sink(options, quiet_log, {})->open(), Error);
    fs::remove(open);
    CHECK_THROWS_AS(make_file_sink(options, quiet_log, {})->open(), Error);
}
