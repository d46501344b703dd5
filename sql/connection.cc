#include "sql/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <future>
#include <memory>
#include <string_view>
#include <thread>

#include "sql/connect/connecting.h"
#include "sql/connect/pooler.h"
#include "sql/long_wait.h"
#include "sql/quote.h"
#include "sql/sqlstate.h"

namespace pgsluice::sql {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds forever(INT_MAX);
constexpr std::chrono::seconds first_answer_limit(10);
constexpr std::chrono::seconds probe_limit(2);
constexpr std::chrono::milliseconds cancel_limit(1000);

// Values must have the same text in snapshot and stream, in source and target. lc_monetary matters too: money is
// written and read with it; and array_nulls, without which an array's NULL is a word.
//
// No function, operator or table of a user is taken for one of PostgreSQL's own: an empty path is pg_catalog, and our
// own temporary tables. Only what a statement qualifies can be a user's.
//
// Nothing that an administrator has set for other clients of the role or the database may end a session of ours in the
// middle (the timeouts, exit_on_error, plpgsql.extra_errors), hide rows (row_security, gin_fuzzy_search_limit), or
// change what a statement means. default_transaction_read_only is theirs to set: it says that nothing is to be written
// now.
//
// Looks at the catalog are planned as far more than they read, and compiling one for that takes seconds (jit).
constexpr const char* settings_of_all_versions =
    "SET search_path = ''; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; SET "
    "TimeZone = 'UTC'; "
    "SET bytea_output = 'hex'; SET xmloption = 'content'; SET xmlbinary = 'base64'; SET lc_monetary = 'C'; "
    "SET array_nulls = on; SET standard_conforming_strings = on; SET backslash_quote = safe_encoding; "
    "SET transform_null_equals = off; SET quote_all_identifiers = off; SET gin_fuzzy_search_limit = 0; "
    "SET row_security = off; SET default_transaction_isolation = 'read committed'; "
    "SET default_transaction_deferrable = off; SET exit_on_error = off; "
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
    "SET idle_session_timeout = 0; SET jit = off; SET plpgsql.extra_errors = 'none'; "
    "SET plpgsql.extra_warnings = 'none'; "
    // The server must also detect a silently broken connection, because its session holds locks and slots until then.
    // The default is two hours; this is a minute, as at our end (conninfo.cc). tcp_user_timeout would not do: it also
    // closes a healthy connection whose peer does not read at the moment, as under backpressure.
    "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; "
    "SET tcp_user_timeout = 0";

std::string session_settings(int server_version) {
    std::string settings = settings_of_all_versions;
    if (server_version >= 170000) settings += "; SET transaction_timeout = 0";
    return settings;
}

// A SQL_ASCII database holds any bytes: they are passed on unchanged, without a check for UTF-8.
constexpr const char* no_encoding = "SET client_encoding = 'SQL_ASCII'";

bool has_no_encoding(const pg_conn* connection) {
    const char* encoding = PQparameterStatus(connection, "server_encoding");
    return encoding != nullptr && std::string_view(encoding) == "SQL_ASCII";
}

// Waits for events on a socket; 0 on timeout. A signal counts as a timeout.
int poll_socket(int socket, short events, int timeout_ms) {
    pollfd watched{socket, events, 0};
    const int ready = ::poll(&watched, 1, timeout_ms);
    return ready > 0 ? watched.revents : 0;
}

std::chrono::milliseconds waited_since(Clock::time_point begun) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
}

int until(Clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count() + 1;
    return static_cast<int>(std::clamp<long long>(left, 0, tick_ms));
}

}  // namespace

Connection::Connection(ConnectOptions options, std::stop_token stop, Purpose purpose)
    : options_(std::move(options)), stop_(std::move(stop)), conn_(connect(options_, stop_)) {
    // Results are read field by field. Where there is none, as when the backend is terminated in a COPY, libpq's text
    // is all there is: without the context and the details, which quote rows.
    PQsetErrorVerbosity(raw(), PQERRORS_TERSE);
    PQsetnonblocking(raw(), 1);
    // Until it is known whom to ask about.
    answer_within(purpose == Purpose::probe ? probe_limit : first_answer_limit);
    backend_ = read_backend(*this);
    // Before the first setting: another client would get it.
    if (purpose == Purpose::session && !is_replication()) refuse_shared_session(*this);
    if (purpose == Purpose::probe) return;
    limit_.reset();
    exec(session_settings(PQserverVersion(raw())));
    if (has_no_encoding(raw())) exec(no_encoding);
}

// A session of its own in every pooler that lets it pass.
bool Connection::is_replication() const {
    return std::ranges::any_of(options_.settings, [](const auto& setting) { return setting.first == "replication"; });
}

Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;

void Connection::send(const std::string& statement, std::string_view doing) {
    doing_ = doing;
    if (PQsendQuery(raw(), statement.c_str()) == 0) throw failure();
    flush();
}

Result Connection::exec(const std::string& statements, std::string_view doing) {
    send(statements, doing);
    return last_result(Shape{-1});
}

Result Connection::query(const std::string& statement, std::span<const Param> params, Shape shape) {
    doing_.clear();
    // libpq's parameters end in a NUL; views need not.
    std::vector<std::string> texts(params.size());
    std::vector<const char*> values(params.size(), nullptr);
    for (std::size_t i = 0; i < params.size(); ++i) {
        if (!params[i]) continue;
        texts[i] = *params[i];
        values[i] = texts[i].c_str();
    }
    if (PQsendQueryParams(raw(), statement.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                          nullptr, 0) == 0) {
        throw failure();
    }
    flush();
    return last_result(shape);
}

Result Connection::last_result(Shape shape) {
    std::optional<Result> last;
    while (auto result = next_result()) {
        const auto status = PQresultStatus(result->raw());
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
            throw std::logic_error("a COPY was started outside copy_in() and copy_out()");
        }
        // Of several statements, the first error is the one that ended them.
        if (!last || PQresultStatus(last->raw()) != PGRES_FATAL_ERROR) last = std::move(result);
    }
    if (!last) throw failure();
    const auto status = PQresultStatus(last->raw());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) throw failure(&*last);
    const bool fits = shape.columns < 0 || (last->columns() == shape.columns && last->rows() >= shape.min_rows &&
                                            (shape.max_rows < 0 || last->rows() <= shape.max_rows));
    if (!fits) {
        throw std::logic_error(fmt::format("a query gave {} columns and {} rows, expected {} columns and {} to {} rows",
                                           last->columns(), last->rows(), shape.columns, shape.min_rows,
                                           shape.max_rows));
    }
    return std::move(*last);
}

bool Connection::wait(bool for_write, std::optional<int> timeout_ms) {
    const auto begun = Clock::now();
    const auto limit = timeout_ms ? std::chrono::milliseconds(*timeout_ms) : limit_.value_or(forever);
    const auto events = static_cast<short>(for_write ? POLLIN | POLLOUT : POLLIN);
    auto next_tick = begun + std::chrono::milliseconds(2 * tick_ms);
    LongWait long_wait(*this);
    for (;;) {
        if (poll_socket(socket(), events, stop_.stop_requested() ? 0 : until(begun + limit)) != 0) return true;
        if (stop_.stop_requested()) {
            if (!limit_) cancel();
            throw Interrupted{};
        }
        const auto waited = waited_since(begun);
        if (waited >= limit) return give_up_or_false(timeout_ms.has_value(), waited);
        if (!timeout_ms && !limit_) long_wait.look(waited, doing());
        if (tick_ && Clock::now() >= next_tick) {
            tick_();
            next_tick = Clock::now() + std::chrono::milliseconds(2 * tick_ms);
        }
    }
}

bool Connection::give_up_or_false(bool may_be_false, std::chrono::milliseconds waited) const {
    if (may_be_false) return false;
    throw SqlError(Action::retry,
                   fmt::format("unable to {}: no answer within {} s", doing(),
                               std::chrono::duration_cast<std::chrono::seconds>(waited).count()),
                   "");
}

void Connection::require_open() {
    if (poll_socket(socket(), POLLIN, 0) == 0) return;
    if (PQconsumeInput(raw()) == 0 || PQstatus(raw()) == CONNECTION_BAD) throw failure();
}

void Connection::flush() {
    for (;;) {
        const int left = PQflush(raw());
        if (left == 0) return;
        if (left < 0) throw failure();
        wait(true);
        // A server that waits for us to read will not accept the rest.
        if (PQconsumeInput(raw()) == 0) throw failure();
    }
}

std::optional<Result> Connection::next_result() {
    while (PQisBusy(raw()) != 0) {
        wait(false);
        if (PQconsumeInput(raw()) == 0) throw failure();
    }
    PGresult* owned = PQgetResult(raw());
    if (owned == nullptr) return std::nullopt;
    return Result(owned);
}

// libpq asks over a connection of its own, and waits for its end without a limit: where nothing answers, the thread
// that does so is left behind.
void Connection::cancel() noexcept {
    if (!conn_) return;
    try {
        std::packaged_task<void()> task([request = std::shared_ptr<PGcancel>(PQgetCancel(raw()), &PQfreeCancel)] {
            std::array<char, 256> reason{};
            if (request) PQcancel(request.get(), reason.data(), static_cast<int>(reason.size()));
        });
        const auto done = task.get_future();
        std::thread(std::move(task)).detach();
        done.wait_for(cancel_limit);
    } catch (...) {  // out of threads: the statement is left to run
    }
}

int Connection::server_version() const noexcept { return PQserverVersion(raw()); }
int Connection::socket() const noexcept { return PQsocket(raw()); }

std::string Connection::doing() const {
    return doing_.empty() ? fmt::format("run a statement on the {}", options_.role) : doing_;
}

SqlError Connection::failure(const Result* failed) const { return error(doing(), failed); }

SqlError Connection::error(const std::string& doing, const Result* failed) const {
    const auto field = [&](int code) -> std::string {
        const char* text = failed == nullptr ? nullptr : PQresultErrorField(failed->raw(), code);
        return text == nullptr ? "" : text;
    };
    const std::string sqlstate = field(PG_DIAG_SQLSTATE);
    if (sqlstate.empty()) {  // from libpq itself: the connection is lost
        std::string reason = one_line(PQerrorMessage(raw()));
        if (reason.empty()) reason = "connection lost";
        return {Action::retry, fmt::format("unable to {}: {}", doing, reason), ""};
    }
    const char* user = PQuser(raw());
    std::string hint = hint_for(sqlstate, field(PG_DIAG_MESSAGE_PRIMARY), field(PG_DIAG_CONTEXT),
                                quote_identifier(user == nullptr ? "" : user));
    if (hint.empty()) hint = field(PG_DIAG_MESSAGE_HINT);
    std::string reason = without_values(sqlstate, field(PG_DIAG_MESSAGE_PRIMARY));
    // Which ones: dependent_objects_still_exist.
    if (sqlstate == "2BP01") reason += fmt::format(" ({})", field(PG_DIAG_MESSAGE_DETAIL));
    const Action action =
        is_catalog_race(sqlstate, field(PG_DIAG_MESSAGE_PRIMARY)) ? Action::retry : action_for(sqlstate);
    return {action, fmt::format("unable to {}: {}", doing, one_line(reason)), sqlstate, hint};
}

}  // namespace pgsluice::sql
