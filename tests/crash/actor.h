// A process that a test kills and starts again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace pgsluice::test {

class Actor {
   public:
    explicit Actor(std::vector<std::string> argv) : argv_(std::move(argv)) {}

    void start(std::map<std::string, std::string> environment = {}) {
        process_.emplace(ProcessOptions{.argv = argv_, .environment = std::move(environment)});
    }
    // SIGKILL, and gone when this returns.
    void kill() { process_.reset(); }
    [[nodiscard]] bool started() const { return process_.has_value(); }
    [[nodiscard]] Process& process() { return *process_; }
    [[nodiscard]] const std::vector<std::string>& argv() const { return argv_; }

   private:
    std::vector<std::string> argv_;
    std::optional<Process> process_;
};

}  // namespace pgsluice::test
