// Owners for what libpq hands out: a connection, a result, a COPY in either direction.
//
// Every wait is a poll() that also watches the stop token given at construction, so that no call blocks a shutdown:
// the statement is cancelled and Interrupted is thrown. Connections belong to one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/backend.h"
#include "sql/error.h"

struct pg_conn;
struct pg_result;

namespace pgsluice::sql {

// A connection has waited for its server for ten seconds or more. Called again and again while it waits, from any
// thread.
struct LongWaitReport {
    const void* wait;  // tells one wait from another
    std::string whom;  // "the target at '...'"
    std::string text;  // what for, and what is known about it; empty once the wait is over
    std::chrono::milliseconds waited;
};

// Where and as whom to connect. Parts that are set win over the same parts of the URL; what neither says comes from
// libpq's own defaults (PGPASSWORD, the password file, service files, sslmode, ...).
struct ConnectOptions {
    std::string role;  // how messages call this end: "source" or "target"
    std::string url;   // a postgresql:// URL or a keyword/value conninfo string; empty when not used
    std::string host;
    std::string port;
    std::string dbname;
    std::string user;
    std::string password;
    std::vector<std::pair<std::string, std::string>>
        settings;  // further libpq keywords, e.g. {"replication", "database"}
    std::function<void(const LongWaitReport&)> on_long_wait = {};
};

// "host:port/dbname" for messages; never a password.
std::string describe(const ConnectOptions& options);

// A statement's parameter: text, or NULL when empty. The text must outlive the call.
using Param = std::optional<std::string_view>;

class Result {
   public:
    explicit Result(pg_result* owned) noexcept : result_(owned, &Result::clear) {}

    [[nodiscard]] int rows() const noexcept;
    [[nodiscard]] int columns() const noexcept;
    // Nothing for NULL. The view lives as long as the result.
    [[nodiscard]] std::optional<std::string_view> get(int row, int column) const;
    // The text of a value that cannot be NULL; std::logic_error if it is.
    [[nodiscard]] std::string text(int row, int column) const;
    [[nodiscard]] std::int64_t integer(int row, int column) const;
    [[nodiscard]] bool boolean(int row, int column) const;
    // Of all rows, as text().
    [[nodiscard]] std::vector<std::string> texts(int column) const;
    // Rows touched by an INSERT, UPDATE, DELETE or COPY; 0 for others.
    [[nodiscard]] std::int64_t affected() const;
    [[nodiscard]] pg_result* raw() const noexcept { return result_.get(); }

   private:
    static void clear(pg_result* result) noexcept;
    std::unique_ptr<pg_result, void (*)(pg_result*) noexcept> result_;
};

// What a query must return; anything else is a bug and throws std::logic_error.
struct Shape {
    int columns;
    int min_rows = 0;
    int max_rows = -1;  // -1: no limit
};

class Connection;

// A running COPY ... TO STDOUT. Destroyed early, it cancels the COPY and reads what is left.
class CopyOut {
   public:
    explicit CopyOut(Connection& connection) noexcept : connection_(&connection) {}
    CopyOut(CopyOut&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
    CopyOut& operator=(CopyOut&&) = delete;
    ~CopyOut();

    // The next row as PostgreSQL sent it, with its newline in text format; nothing at the end (server errors throw).
    // The view is valid until the next call.
    std::optional<std::string_view> next();

   private:
    Connection* connection_;
    std::unique_ptr<char, void (*)(void*) noexcept> buffer_{nullptr, [](void*) noexcept {}};
};

// A running COPY ... FROM STDIN. Destroyed before end(), it makes the COPY fail, so that none of its rows is kept.
class CopyIn {
   public:
    explicit CopyIn(Connection& connection) noexcept : connection_(&connection) {}
    CopyIn(CopyIn&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
    CopyIn& operator=(CopyIn&&) = delete;
    ~CopyIn();

    void write(std::string_view bytes);
    // Rows copied.
    std::int64_t end();

   private:
    Connection* connection_;
    std::size_t unflushed_ = 0;
};

class Connection {
   public:
    // Connects with client_encoding UTF8 (SQL_ASCII to such a database), an application_name of "pgsluice" (unless set)
    // and server settings that make values the same text everywhere: DateStyle ISO, IntervalStyle postgres, TimeZone
    // UTC, extra_float_digits 3, bytea_output hex, xmloption content, lc_monetary C; and none of the settings that end
    // sessions or change what a statement means (connection.cc). Gives up after connect_timeout (10 s unless set).
    // Throws SqlError: action retry when the server could not be reached or is starting, stop when what is reached is a
    // pooler that gives other clients our session between two transactions (pooler.h).
    explicit Connection(ConnectOptions options, std::stop_token stop = {})
        : Connection(options, stop, Purpose::session) {}
    enum class Purpose {
        session,
        observer,  // looks at one of those, by the same way: the way need not be looked at again
        probe,     // has no settings, and runs only what does not need them
    };
    Connection(ConnectOptions options, std::stop_token stop, Purpose purpose);
    ~Connection();
    Connection(Connection&&) noexcept;
    Connection& operator=(Connection&&) noexcept;

    // Runs one or more statements without parameters; the last one's result. An error reads "unable to <doing>:
    // reason".
    Result exec(const std::string& statements, std::string_view doing = {});
    // Runs one statement with text parameters $1, $2, ... and checks the result's shape.
    Result query(const std::string& statement, std::span<const Param> params, Shape shape);
    Result query(const std::string& statement, std::initializer_list<Param> params, Shape shape) {
        return query(statement, std::span(params.begin(), params.size()), shape);
    }

    // An error of the statement itself or while copying reads "unable to <doing>: reason".
    CopyOut copy_out(const std::string& statement, std::string_view doing = {});
    CopyIn copy_in(const std::string& statement, std::string_view doing = {});

    // Waits until the socket is readable (or, where asked, writable) or the timeout expires; false on timeout.
    // When the stop token fires, cancels the running statement and throws Interrupted; the connection can then only be
    // closed.
    // A wait without a timeout ends with a retry SqlError when the server has answered and the answer was lost on the
    // way, and is reported when it is long (long_wait.h).
    bool wait(bool for_write, std::optional<int> timeout_ms = std::nullopt);
    // From now on a wait without a timeout gives up, with a retry SqlError, after so long; and the server is not asked
    // to cancel what is running. For connections that look at others.
    void answer_within(std::chrono::milliseconds limit) { limit_ = limit; }
    // A retry SqlError when the server has ended the session, which else only the next statement would find. To be
    // called now and then between statements.
    void require_open();
    // Called by every wait about every 100 ms while a statement is running; to report what it is waiting for.
    void on_tick(std::function<void()> tick) { tick_ = std::move(tick); }

    // Asks the server to cancel the running statement; may be called from any thread.
    void cancel() noexcept;
    [[nodiscard]] int server_version() const noexcept;  // 150018 for 15.18
    [[nodiscard]] int backend_pid() const { return std::stoi(backend_.pid); }
    [[nodiscard]] const Backend& backend() const noexcept { return backend_; }
    [[nodiscard]] int socket() const noexcept;
    [[nodiscard]] const ConnectOptions& options() const noexcept { return options_; }
    [[nodiscard]] pg_conn* raw() const noexcept { return conn_.get(); }
    [[nodiscard]] const std::stop_token& stop() const noexcept { return stop_; }

    // The next result of the statements sent; nothing when there is none left.
    std::optional<Result> next_result();
    // Sends everything queued in libpq.
    void flush();
    // The error of a failed result or of the connection, with SQLSTATE, as an exception to throw.
    [[nodiscard]] SqlError error(const std::string& doing, const Result* failed = nullptr) const;

   private:
    friend class CopyOut;
    friend class CopyIn;
    // Sends the statement; `doing` is kept for error messages.
    void send(const std::string& statement, std::string_view doing);
    void start_copy(const std::string& statement, std::string_view doing, int wanted_status);
    std::int64_t finish_copy();
    Result last_result(Shape shape);
    [[nodiscard]] SqlError failure(const Result* failed = nullptr) const;
    [[nodiscard]] std::string doing() const;
    bool give_up_or_false(bool may_be_false, std::chrono::milliseconds waited) const;
    [[nodiscard]] bool is_replication() const;

    std::string doing_;  // of the running statement
    Backend backend_;
    std::optional<std::chrono::milliseconds> limit_;

    ConnectOptions options_;
    std::stop_token stop_;
    std::function<void()> tick_;
    std::unique_ptr<pg_conn, void (*)(pg_conn*) noexcept> conn_;
};

}  // namespace pgsluice::sql
