#include "sinks/file/two_copy_file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/sink_batches.h"

using namespace pgsluice;

namespace {

StateRecord record(std::uint64_t seq) {
    StateRecord made;
    made.group = "shop";
    made.state.checkpoint.resume_seq = StreamSeq{seq};
    return made;
}

void damage(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << "damage";
}

}  // namespace

TEST_CASE("the newest record is read, whoever wrote it") {
    const test::Directory directory;
    const std::string path = directory.path + "/state";
    for (std::uint64_t seq = 1; seq <= 5; ++seq) {
        TwoCopyFile slots(path, "it");
        const auto before = slots.read();
        CHECK(before.has_value() == (seq > 1));
        if (before) CHECK(before->state.checkpoint.resume_seq == StreamSeq{seq - 1});
        slots.write(record(seq));
    }
    CHECK(std::filesystem::file_size(path) == 2048);
}

TEST_CASE("a record torn while it was written leaves the one before it") {
    const test::Directory directory;
    const std::string path = directory.path + "/state";
    {
        TwoCopyFile slots(path, "it");
        for (std::uint64_t seq = 1; seq <= 3; ++seq) slots.write(record(seq));  // slots 0, 1, 0
    }
    damage(path, 20);
    {
        TwoCopyFile slots(path, "it");
        CHECK(slots.read()->state.checkpoint.resume_seq == StreamSeq{2});
        slots.write(record(4));  // over the torn one
        CHECK(slots.read()->state.checkpoint.resume_seq == StreamSeq{4});
    }
    damage(path, 1024 + 20);
    CHECK(TwoCopyFile(path, "it").read()->state.checkpoint.resume_seq == StreamSeq{4});
    damage(path, 20);
    CHECK_THROWS_AS(TwoCopyFile(path, "it").read(), Error);
}

TEST_CASE("the very first record torn: nothing was ever promised") {
    const test::Directory directory;
    const std::string path = directory.path + "/state";
    {
        TwoCopyFile slots(path, "it");
        slots.write(record(1));
    }
    damage(path, 20);
    CHECK_FALSE(TwoCopyFile(path, "it").read());
}

TEST_CASE("one owner at a time") {
    const test::Directory directory;
    const TwoCopyFile slots(directory.path + "/state", "it");
    CHECK_THROWS_AS(TwoCopyFile(directory.path + "/state", "it"), Error);
}
