// A corpus to begin with that needs no files in the tree: each of these inputs is written into a temporary directory,
// which libFuzzer then reads. For LLVMFuzzerInitialize.
#pragma once

#include <stdlib.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::fuzz {

// Where a file is given, it alone is run.
inline bool runs_a_file(int argc, char** argv) {
    for (int i = 1; i < argc; ++i)
        if (std::filesystem::is_regular_file(argv[i])) return true;
    return false;
}

inline void add_seeds(int* argc, char*** argv, const std::vector<std::string>& seeds) {
    static std::string directory;  // the name must outlive this call
    static std::vector<char*> words;
    if (runs_a_file(*argc, *argv)) return;
    directory = (std::filesystem::temp_directory_path() / "pgsluice-seeds-XXXXXX").string();
    if (mkdtemp(directory.data()) == nullptr) return;
    for (std::size_t i = 0; i < seeds.size(); ++i)
        std::ofstream(directory + "/" + std::to_string(i), std::ios::binary) << seeds[i];
    static_cast<void>(atexit([] {
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }));
    words.assign(*argv, *argv + *argc);
    words.push_back(directory.data());
    words.push_back(nullptr);
    *argv = words.data();
    ++*argc;
}

}  // namespace pgsluice::fuzz
