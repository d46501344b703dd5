// A child process with its output captured, and waiting on conditions with a deadline.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pgsluice::test {

struct ProcessOptions {
    std::vector<std::string> argv;
    std::map<std::string, std::string> environment = {};  // on top of ours
    std::string stdout_file = {};                         // empty: captured
    uid_t run_as = 0;                                     // switched to when we are root and this is not 0
    int death_signal = SIGKILL;                           // what the child gets when we die, however we die
};

class Process {
   public:
    explicit Process(ProcessOptions options);
    ~Process();  // kills -9 what still runs, reaps it
    Process(Process&&) noexcept;

    [[nodiscard]] pid_t pid() const;
    void signal(int number);
    [[nodiscard]] bool running();
    // The exit code (128 + signal when killed). Fails the test when the time is over.
    int wait(std::chrono::seconds limit = std::chrono::seconds(30));
    // What was written so far.
    [[nodiscard]] std::string out() const;
    [[nodiscard]] std::string err() const;

   private:
    struct State;
    std::unique_ptr<State> state_;
};

struct Finished {
    int code;
    std::string out;
    std::string err;
};
// Runs to the end.
Finished run(std::vector<std::string> argv, std::map<std::string, std::string> environment = {},
             std::chrono::seconds limit = std::chrono::seconds(60));

// Polls until the condition holds; false (and a doctest failure naming `what`) when the time is over. An error that
// says to try again, as of a server that did not answer in time, is "not yet".
bool eventually(const std::string& what, const std::function<bool()>& condition,
                std::chrono::seconds limit = std::chrono::seconds(30));

int free_port();
// Made anew, readable by all, removed by the process's end.
std::string temporary_directory(const std::string& name);
// The contents of all files in it and below, one after another.
std::string all_files(const std::string& directory);

}  // namespace pgsluice::test
