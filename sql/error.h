// Errors, classed by what the caller should do about them.
//
// Message grammar: lower case, `unable to X 'name': reason`. The hint is a separate sentence, with a capital and a full
// stop, that says what to do.
//
// What is thrown, and what it means:
//   Error retry           the same step may succeed later. cmd/supervise restarts the command from its durable state.
//   Error stop, usage     someone must change something first. main prints message and hint and exits.
//   Interrupted           a stop was requested while we waited. main exits 0.
//   std::logic_error      a bug. main reports it as one and exits.
//   anything else         unexpected, such as std::bad_alloc; main reports it as a bug too.
// Restart from durable state is the one recovery path, so other code catches only
//   - to finish here: a destructor, a noexcept function, a C callback or a thread's body (which keeps the exception for
//     the thread that joins it);
//   - to say more: catch, add the context (a file, a table, a hint), throw;
//   - to take another way that is part of the contract: a row that the target refuses becomes a dead letter, a broker
//     that is away means "report later", the exception of a parser or a library becomes a value or an Error. Such a
//     handler names the narrowest type and throws on whatever it does not expect.
// Nothing catches an error to continue without the row concerned.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace pgsluice {

enum class Action {
    retry,  // the same step may succeed later: a connection was lost, a server is starting
    stop,   // someone has to change something first
    usage,  // the command line, environment or a configuration file is wrong
};

class Error : public std::runtime_error {
   public:
    Error(Action action, const std::string& message, std::string hint = {})
        : std::runtime_error(message), action_(action), hint_(std::move(hint)) {}

    [[nodiscard]] Action action() const noexcept { return action_; }
    // Empty when the message already says everything.
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

   private:
    Action action_;
    std::string hint_;
};

// Message and hint as one line of a log.
inline std::string in_one_line(const Error& error) {
    return error.hint().empty() ? error.what() : error.what() + ("; HINT: " + error.hint());
}

inline Error retry_error(const std::string& message, std::string hint = {}) {
    return {Action::retry, message, std::move(hint)};
}

inline Error stop_error(const std::string& message, std::string hint = {}) {
    return {Action::stop, message, std::move(hint)};
}

inline Error usage_error(const std::string& message, std::string hint = {}) {
    return {Action::usage, message, std::move(hint)};
}

// A statement or connection failed in PostgreSQL.
class SqlError : public Error {
   public:
    SqlError(Action action, const std::string& message, std::string sqlstate, std::string hint = {})
        : Error(action, message, std::move(hint)), sqlstate_(std::move(sqlstate)) {}

    // Five characters (manual, appendix A); empty when the failure was the connection's.
    [[nodiscard]] const std::string& sqlstate() const noexcept { return sqlstate_; }

   private:
    std::string sqlstate_;
};

// A stop was requested (SIGTERM, SIGINT) while we waited. Not an error: main exits 0.
struct Interrupted {};

}  // namespace pgsluice
