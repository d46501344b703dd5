#include "stream/process/text_file.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/process.h"

using namespace pgsluice;

TEST_CASE("a text file is read whole, and one that is too large or has no end is not read") {
    const std::string path = test::temporary_directory("text_file") + "/file";
    for (const std::size_t size : {std::size_t{0}, std::size_t{65536}, std::size_t{100001}}) {
        std::ofstream(path) << std::string(size, 'x');
        CHECK(read_text_file(path) == std::string(size, 'x'));
    }
    std::ofstream(path) << std::string(max_text_file_bytes + 1, 'x');
    CHECK_FALSE(read_text_file(path));
    CHECK_FALSE(read_text_file("/dev/zero"));
    CHECK_FALSE(read_text_file("/"));
    CHECK_FALSE(read_text_file(path + "-missing"));
}
