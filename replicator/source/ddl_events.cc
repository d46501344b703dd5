#include "replicator/source/ddl_events.h"

#include <fmt/format.h>

#include <chrono>
#include <string>

#include "replicator/source/transaction_end.h"
#include "sql/error.h"
#include "stream/base/hex.h"
#include "stream/base/pause.h"
#include "stream/seal/cipher.h"

namespace pgsluice {

namespace {

constexpr std::size_t longest_id = 64;  // of a UUID: 36

std::string sha256_hex(std::string_view bytes) {
    const Digest digest = sha256(bytes);
    return to_hex(digest);
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

// What a message says is looked at only once it is known that one of its id was noted: anybody can write a large one.
bool DdlEvents::is_noted(const WalMessage& message, std::string_view id) {
    if (id.size() > longest_id) return false;
    const std::string xid = std::to_string(message.xid);
    Patience patience(log_, message.xid);
    for (bool ended = false;;) {
        const auto found = source_.query(
            "SELECT pg_catalog.encode(e.digest, 'hex') FROM pgsluice.ddl_event e WHERE e.\"group\" = $1 AND e.id = $2 "
            "AND pg_catalog.xid(e.xid) = $3::pg_catalog.xid",
            {sql::Param(group_), sql::Param(id), sql::Param(xid)}, {1, 0, 1});
        if (found.rows() == 1 || ended) {
            patience.is_over();
            return found.rows() == 1 && found.text(0, 0) == sha256_hex(message.content);
        }
        ended = !still_runs(source_, message.xid);
        if (!ended) patience.wait(source_.stop());
    }
}

bool DdlEvents::holds(const WalMessage& message) {
    if (!prefixes_.old.empty() && message.prefix == prefixes_.old && message.lsn <= prefixes_.old_until) return true;
    const bool ours = message.prefix.starts_with(prefixes_.noted);
    const auto id = ours ? message.prefix.substr(prefixes_.noted.size()) : std::string_view{};
    if (std::exchange(xid_, message.xid) != message.xid) taken_.clear();
    if (ours && !taken_.contains(id) && is_noted(message, id)) {
        taken_.emplace(id);
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
