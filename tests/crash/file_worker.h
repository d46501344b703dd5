// A file worker among the faults, and what must hold of its files.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/crash/actor.h"
#include "tests/crash/line.h"
#include "tests/support/pipeline.h"

namespace pgsluice::test {

class FileWorker {
    std::string directory_ = temporary_directory("file_worker") + "/out";

   public:
    // Small files, so that they rotate all the time.
    explicit FileWorker(const Pipeline& pipeline);

    Actor actor;

    // Waits for the settling mark, then compares (CHECKs): every line is valid JSON, every committed change is there
    // once and in order, and finished files are what they were at the last check. Those are then removed: they are the
    // user's.
    void check(const SourceLog& log, int mark);

   private:
    struct Files {
        std::map<std::string, std::string> finished;  // in order
        std::string open_name;
        std::string open;
    };
    [[nodiscard]] Files read() const;
    [[nodiscard]] bool has(const Files& files, const std::string& needle) const;
    void compare(const std::string& name, const std::string& text, const SourceLog& log);

    std::map<std::string, std::string> checked_;  // finished files compared before: name and contents
    Position last_;                               // of the line compared last
    std::size_t compared_ = 0;                    // of the log's changes
};

}  // namespace pgsluice::test
