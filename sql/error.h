// Errors, classed by what the caller should do about them.
//
// Message grammar: lower case, `unable to X 'name': reason`. The hint is a separate sentence, with a capital and a full
// stop, that says what to do.
//
// What is thrown:
//   Error retry           the same step may succeed later: restart from durable state, the one recovery path
//   Error stop, usage     someone must change something first
//   Interrupted           a stop was requested while we waited
//   anything else         a bug
// What becomes of each, and what may be caught where: CONTRIBUTING.md, "Errors".
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
