#include "sql/connect/connecting.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "sql/connect/conninfo.h"
#include "sql/connect/hosts.h"
#include "sql/quote.h"
#include "sql/sqlstate.h"

namespace pgsluice::sql {

namespace {

using Clock = std::chrono::steady_clock;
using Keywords = std::map<std::string, std::string>;

constexpr int default_connect_timeout_s = 10;

// libpq takes 1 for 2, and waits forever for 0 and below.
std::chrono::seconds time_limit(const Keywords& resolved) {
    const auto given = resolved.find("connect_timeout");
    const int seconds = given == resolved.end() ? default_connect_timeout_s : std::atoi(given->second.c_str());
    return std::chrono::seconds(seconds <= 0 ? 3600 : std::max(seconds, 2));
}

// Failures before the server answered that a retry cannot fix.
bool is_misconfiguration(const pg_conn* connection, std::string_view text) {
    constexpr std::array<std::string_view, 12> marks{"invalid ",
                                                     "but SSL was required",
                                                     "certificate",
                                                     "sslmode value",
                                                     "SSL is not enabled",
                                                     "channel binding",
                                                     "definition of service",
                                                     "private key",
                                                     "service file",
                                                     "requirepeer",
                                                     "GSSAPI encryption required",
                                                     "authentication method requirement"};
    return PQconnectionNeedsPassword(connection) != 0 || std::any_of(marks.begin(), marks.end(), [&](auto mark) {
               return text.find(mark) != std::string_view::npos;
           });
}

SqlError connect_error(const ConnectOptions& options, const pg_conn* connection, std::string_view reason) {
    const std::string sqlstate = sqlstate_in(reason);
    Action action = action_for(sqlstate);
    const char* user = PQuser(connection);
    std::string hint = hint_for(sqlstate, quote_identifier(user == nullptr ? "" : user));
    if (sqlstate.empty() && is_misconfiguration(connection, reason)) {
        action = Action::stop;
        hint =
            PQconnectionNeedsPassword(connection) != 0
                ? hint_for("28P01")
                : "Correct the connection option that the message is about (sslmode, sslrootcert, channel_binding and "
                  "the like).";
    } else if (sqlstate.empty()) {
        hint = "Start the server, or correct host and port; its listen_addresses must include this address.";
    }
    return {action,
            fmt::format("unable to connect to the {} at '{}': {}", options.role, describe(options), one_line(reason)),
            sqlstate, hint};
}

void close_connection(pg_conn* connection) noexcept { PQfinish(connection); }

// Waits for what the state needs; false on timeout. A signal counts as a timeout.
bool ready(const pg_conn* connection, PostgresPollingStatusType state, Clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count() + 1;
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    pollfd watched{PQsocket(connection), events, 0};
    return ::poll(&watched, 1, static_cast<int>(std::clamp<long long>(left, 0, tick_ms))) > 0;
}

// Where libpq is at the moment.
Host current(const pg_conn* connection) {
    const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
    return {text(PQhost(connection)), text(PQhostaddr(connection)), text(PQport(connection))};
}

// Whether `now` is this host; what it leaves to libpq matches anything.
bool is_at(const Host& host, const Host& now) {
    const auto same = [](const std::string& wanted, const std::string& is) { return wanted.empty() || wanted == is; };
    return same(host.port, now.port) && same(host.address, now.address) && same(host.name, now.name);
}

class Attempt {
   public:
    Attempt(const ConnectOptions& options, const std::stop_token& stop)
        : options_(options), stop_(stop), keywords_(connection_keywords(options)) {
        const Keywords resolved = resolved_keywords(options);
        limit_ = time_limit(resolved);
        hosts_ = hosts_of(resolved);
        if (hosts_.size() > 1) set_hosts(keywords_, hosts_);
    }

    // libpq goes to the next place when one fails, but when one does not answer, only its blocking calls do. That one
    // is left out, and the others are tried again, also those that have failed: a standby may do now.
    ConnectionHandle run() {
        while (true) {
            ConnectionHandle connection = begin();
            if (finish(connection.get())) return connection;
            leave_out(current(connection.get()));
            if (hosts_.empty()) throw connect_error(options_, connection.get(), unanswered_);
            set_hosts(keywords_, hosts_);
        }
    }

   private:
    ConnectionHandle begin() {
        std::vector<const char*> names;
        std::vector<const char*> values;
        for (const auto& [keyword, value] : keywords_) {
            names.push_back(keyword.c_str());
            values.push_back(value.c_str());
        }
        names.push_back(nullptr);
        values.push_back(nullptr);
        if (stop_.stop_requested()) throw Interrupted{};
        ConnectionHandle connection(PQconnectStartParams(names.data(), values.data(), 0), &close_connection);
        if (!connection) throw std::bad_alloc();
        pg_conn* const raw = connection.get();
        if (PQstatus(raw) == CONNECTION_BAD) throw failed(raw);
        PQsetErrorVerbosity(raw, PQERRORS_VERBOSE);  // the only way to see the SQLSTATE of a refusal
        // Notices, ours or from the user's functions, are not printed.
        PQsetNoticeReceiver(
            raw, [](void*, const PGresult*) {}, nullptr);
        return connection;
    }

    // False when a place has not answered within the limit.
    bool finish(pg_conn* connection) {
        Host place = current(connection);
        auto deadline = Clock::now() + limit_;
        for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
            if (state == PGRES_POLLING_FAILED) throw failed(connection);
            if (stop_.stop_requested()) throw Interrupted{};
            if (ready(connection, state, deadline)) {
                state = PQconnectPoll(connection);
                if (current(connection) == place) continue;
                place = current(connection);
                deadline = Clock::now() + limit_;
            } else if (Clock::now() >= deadline) {
                return false;
            }
        }
        return true;
    }

    void leave_out(const Host& silent) {
        if (!unanswered_.empty()) unanswered_ += "; ";
        const std::string& shown = silent.name.empty() ? silent.address : silent.name;
        unanswered_ += fmt::format("{}:{} did not answer within connect_timeout", shown, silent.port);
        const auto place = std::ranges::find_if(hosts_, [&](const Host& host) { return is_at(host, silent); });
        if (place != hosts_.end()) {
            hosts_.erase(place);
        } else {
            hosts_.clear();  // not expected to happen
        }
    }

    [[nodiscard]] SqlError failed(const pg_conn* connection) const {
        const char* text = PQerrorMessage(connection);
        return connect_error(options_, connection, unanswered_.empty() ? text : unanswered_ + "; " + text);
    }

    const ConnectOptions& options_;
    const std::stop_token& stop_;
    Keywords keywords_;
    std::chrono::seconds limit_{0};
    std::vector<Host> hosts_;  // not yet known to be silent
    std::string unanswered_;   // the others, for the message
};

}  // namespace

ConnectionHandle connect(const ConnectOptions& options, const std::stop_token& stop) {
    return Attempt(options, stop).run();
}

ConnectOptions at_same_place(const Connection& connection) {
    ConnectOptions options = connection.options();
    std::erase_if(options.settings, [](const auto& setting) { return setting.first == "replication"; });
    const Host place = current(connection.raw());
    if (!place.name.empty()) options.host = place.name;
    if (!place.port.empty()) options.port = place.port;
    if (!place.address.empty()) options.settings.emplace_back("hostaddr", place.address);
    return options;
}

}  // namespace pgsluice::sql
