#include "tests/crash/file_worker.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include <doctest/doctest.h>

#include "tests/support/read_file.h"

namespace pgsluice::test {
namespace {

namespace fs = std::filesystem;

}  // namespace

FileWorker::FileWorker(const Pipeline& pipeline)
    : actor(pipeline.worker_argv("file", {"--file-output-dir", directory_, "--file-max-size", "1MiB"})) {}

FileWorker::Files FileWorker::read() const {
    Files files;
    if (!fs::exists(directory_)) return files;
    for (const auto& entry : fs::directory_iterator(directory_)) {
        const std::string name = entry.path().filename();
        if (name.ends_with(".jsonl")) files.finished[name] = read_file(entry.path());
        if (!name.ends_with(".jsonl.part")) continue;
        files.open_name = name.substr(0, name.size() - 5);
        files.open = read_file(entry.path());
    }
    return files;
}

bool FileWorker::has(const Files& files, const std::string& needle) const {
    if (files.open.find(needle) != std::string::npos) return true;
    return std::any_of(files.finished.begin(), files.finished.end(), [&](const auto& file) {
        return !checked_.contains(file.first) && file.second.find(needle) != std::string::npos;
    });
}

void FileWorker::check(const SourceLog& log, int mark) {
    const std::string needle = R"("NewTuple":{"mark":)" + std::to_string(mark) + "}";
    Files files;
    const auto arrived = [&] {
        REQUIRE_MESSAGE(actor.process().running(), actor.process().err());
        files = read();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return has(files, needle);
    };
    if (!eventually("the file worker has everything", arrived, std::chrono::seconds(120))) {
        FAIL("its messages:\n" << actor.process().err());
    }
    for (const auto& one : checked_) {
        const auto& name = one.first;
        CAPTURE(name);
        REQUIRE(files.finished.contains(name));
        REQUIRE((files.finished.at(name) == one.second));  // finished once, for ever
        fs::remove(directory_ + "/" + name);
        files.finished.erase(name);
    }
    for (const auto& [name, text] : files.finished) compare(name, text, log);
    checked_ = std::move(files.finished);
    const auto compared = compared_;
    const auto last = last_;
    if (!files.open.empty()) compare(files.open_name, files.open, log);
    INFO("the file worker's messages:\n" << actor.process().err());
    if (compared_ < log.changes().size()) FAIL_CHECK("missing: " << to_string(log.changes()[compared_]));
    compared_ = compared;  // the open file is compared again, once it is finished or longer
    last_ = last;
}

void FileWorker::compare(const std::string& name, const std::string& text, const SourceLog& log) {
    CAPTURE(name);
    REQUIRE((text.empty() || text.back() == '\n'));
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        const Line line = parse_line(std::string_view(text).substr(at, end - at));
        at = end + 1;
        CAPTURE(at);
        INFO("the file worker's messages:\n" << actor.process().err());
        INFO("found: " << to_string(line.change) << " at " << to_string(line.position));
        if (line.snapshot) continue;  // the copy ended before the log began
        REQUIRE(line.position > last_);
        last_ = line.position;
        if (line.position.commit < log.begin()) continue;
        REQUIRE_MESSAGE(compared_ < log.changes().size(), "more than the source committed");
        REQUIRE(to_string(line.change) == to_string(log.changes()[compared_]));
        ++compared_;
    }
}

}  // namespace pgsluice::test
