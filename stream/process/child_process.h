// A program that runs beside us, whose output is read through pipes. It is killed with all that it has
// started, and reaped, unless it was waited for.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice {

class ChildProcess {
   public:
    using Variables = std::vector<std::pair<std::string, std::string>>;

    // Looks for the program in PATH. Its input is empty. `variables` are put into its environment. A stop Error with
    // this hint when it cannot be started.
    ChildProcess(std::vector<std::string> argv, const Variables& variables, const std::string& hint);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    // Reads up to `size` bytes of what it prints; 0 at the end. Throws Interrupted when the stop token fires; `tell` is
    // called several times a second while nothing comes.
    std::size_t read(char* into, std::size_t size, const std::stop_token& stop, const std::function<void()>& tell);
    // Once read() has returned 0. The status as waitpid() gives it.
    int wait();
    // What it has printed on standard error, of much only the beginning.
    [[nodiscard]] const std::string& errors() const noexcept { return errors_; }

   private:
    void read_errors();
    void close(int& end);

    pid_t pid_ = -1;
    int out_ = -1;
    int err_ = -1;
    std::string errors_;
};

// Whether it ended by itself, with exit code 0.
bool succeeded(int status);

}  // namespace pgsluice
