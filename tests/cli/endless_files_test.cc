// Files that are not what they are taken for: refused at once, without being read into memory.
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

// 100 MB of zeros, which take no disk.
std::string large_file() {
    const std::string path = temporary_directory("large") + "/file";
    std::ofstream(path) << "tables:\n";
    REQUIRE(::truncate(path.c_str(), 100'000'000) == 0);
    return path;
}

}  // namespace

TEST_CASE("rules, routes, configuration and secrets of 100 MB, or from /dev/zero") {
    for (const std::string& file : {std::string("/dev/zero"), large_file()}) {
        for (const std::vector<std::string>& flag : std::vector<std::vector<std::string>>{
                 {"check", "rules", "--rules-config", file},
                 {"check", "rules", "--routing-config", file},
                 {"worker", "stdout", "--group", "g", "--rules-config", file},
                 {"worker", "stdout", "--group", "g", "--config", file},
                 {"worker", "webhook", "--group", "g", "--webhook-url", "http://h", "--webhook-hmac-secret-file", file},
                 {"worker", "stdout", "--group", "g", "--nats-nkey", file}}) {
            std::vector<std::string> words = flag;
            words.insert(words.begin(), PGSLUICE_BINARY);
            CAPTURE(words.back());
            CAPTURE(words[words.size() - 2]);
            const Finished refused = run(words, {{"HOME", "/nonexistent"}}, std::chrono::seconds(30));
            CAPTURE(refused.err);
            CHECK(refused.code == 2);
            CHECK(contains(refused.err, file));
        }
    }
}
