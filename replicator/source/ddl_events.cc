#include "replicator/source/ddl_events.h"

#include <fmt/format.h>

#include <chrono>
#include <string>

#include "replicator/source/transaction_end.h"
#include "sql/error.h"
#include "stream/format/hex.h"
#include "stream/pause.h"

namespace pgsluice {

namespace {

std::string to_hex(std::string_view bytes) {
    std::string digits(2 * bytes.size(), '0');
    encode_hex(bytes, digits.data());
    return digits;
}

class Patience {
   public:
    Patience(const Log& log, std::uint32_t xid) : log_(log), xid_(xid) {}
    void is_over() const {
        if (said_) log_(LogLevel::info, fmt::format("the source's other sessions see transaction {} now", xid_));
    }
    void wait(const std::stop_token& stop) {
        if (!pause(stop, until_next_look)) throw Interrupted{};
        if (said_ || std::chrono::steady_clock::now() - since_ < std::chrono::seconds(10)) return;
        said_ = true;
        log_(LogLevel::warning, fmt::format("waiting until the source's other sessions see transaction {}, which is "
                                            "committed: is a synchronous standby away?",
                                            xid_));
    }

   private:
    const Log& log_;
    std::uint32_t xid_;
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
    bool said_ = false;
};

}  // namespace

bool DdlEvents::is_noted(const WalMessage& message, std::string_view id) {
    const std::string xid = std::to_string(message.xid);
    const std::string content = to_hex(message.content);
    Patience patience(log_, message.xid);
    for (bool ended = false;;) {
        const auto found = source_.query(
            "SELECT EXISTS (SELECT FROM pgsluice.ddl_event e WHERE e.\"group\" = $1 AND e.id = $2 "
            "AND pg_catalog.xid(e.xid) = $3::pg_catalog.xid "
            "AND e.digest = pg_catalog.sha256(pg_catalog.decode($4, 'hex')))",
            {sql::Param(group_), sql::Param(id), sql::Param(xid), sql::Param(content)}, {1, 1, 1});
        if (found.boolean(0, 0) || ended) {
            patience.is_over();
            return found.boolean(0, 0);
        }
        ended = !still_runs(source_, message.xid);
        if (!ended) patience.wait(source_.stop());
    }
}

bool DdlEvents::holds(const WalMessage& message) {
    if (!prefixes_.old.empty() && message.prefix == prefixes_.old && message.lsn <= prefixes_.old_until) return true;
    const bool ours = message.prefix.starts_with(prefixes_.noted);
    const std::string id(ours ? message.prefix.substr(prefixes_.noted.size()) : std::string_view{});
    if (std::exchange(xid_, message.xid) != message.xid) taken_.clear();
    if (ours && !taken_.contains(id) && is_noted(message, id)) {
        taken_.insert(id);
        return true;
    }
    const bool looks_like_it = ours || (!prefixes_.old.empty() && message.prefix == prefixes_.old);
    if (looks_like_it) {
        log_(LogLevel::warning,
             fmt::format("ignoring a DDL message at {} of transaction {}: the group's event triggers did not write it",
                         to_string(message.lsn), message.xid));
    }
    return false;
}

}  // namespace pgsluice
