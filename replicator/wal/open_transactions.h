// Transactions that the walsender sends while they are still running on the source (the option `streaming` of protocol
// version 2), kept until they commit; then they pass as if they had come whole.
//
//   chunk  = StreamStart(xid, first) { Relation | Type | Insert | Update | Delete | Truncate | Message } StreamStop
//   end    = StreamCommit(xid, commit, end, time)  |  StreamAbort(xid, xid)
//   undone = StreamAbort(xid, subxid)
//   stream = { transaction | Message | chunk | undone | end }       (what this knows nothing of passes by it)
//
// Within a chunk each message says after its kind which subtransaction it belongs to. While a subtransaction is open
// its parents change nothing; so what it did ends the transaction so far, and is cut off there when it is undone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "replicator/wal/spool.h"
#include "stream/change.h"

namespace pgsluice {

class OpenTransactions {
   public:
    // `directory` and `in_memory` as in Spool, for each transaction.
    explicit OpenTransactions(std::string directory = {}, std::size_t in_memory = Spool::usual_memory)
        : directory_(std::move(directory)), in_memory_(in_memory) {}

    // True when this pgoutput message was kept, or ends what is kept: then next() may have some. False: it is of a
    // transaction that comes whole, and goes on as it is. May be called when next() has no more. Throws SpoolError, and
    // a stop Error for what the protocol does not allow.
    bool take(std::string_view message);

    // Of a transaction that has committed: Begin, its messages, Commit, in the form of protocol version 1. Nothing when
    // there are no more. The view is valid until the next call of either.
    std::optional<std::string_view> next();

    // More of a running transaction is to come before anything else.
    [[nodiscard]] bool in_chunk() const noexcept { return current_ != nullptr; }
    // Of how many transactions something is kept.
    [[nodiscard]] std::size_t count() const noexcept { return kept_.size(); }
    // And how much.
    [[nodiscard]] std::uint64_t bytes() const noexcept;

   private:
    // Definitions are numbered as they come: the walsender sends one again only when it has changed since it sent it
    // last, be it in a chunk.
    using Order = std::uint64_t;
    struct Place {
        std::uint64_t at = 0;
        std::uint32_t subxid = 0;
    };
    struct Described {
        std::uint64_t at = 0;
        Order order = 0;
    };
    struct Kept {
        Kept(const std::string& directory, std::size_t in_memory) : spool(directory, in_memory) {}
        Spool spool;
        std::vector<Place> places;                                 // where each subtransaction began, in order
        std::unordered_map<std::uint32_t, std::uint64_t> started;  // the same, by subtransaction
        std::vector<Described> described;                          // each definition
    };
    struct Newest {
        Order order = 0;
        std::string message;
    };
    enum class Stage : std::uint8_t { none, begin, changes, definitions };

    void start(std::string_view message);
    void stop(std::string_view message);
    void keep(std::string_view message);
    void commit(std::string_view message);
    void abort(std::string_view message);
    void pass_definition(std::string_view message);
    std::optional<std::string_view> next_definition();

    std::string directory_;
    std::size_t in_memory_;
    std::unordered_map<std::uint32_t, std::unique_ptr<Kept>> kept_;  // by transaction
    Kept* current_ = nullptr;                                        // whose chunk is being read
    std::uint32_t current_xid_ = 0;
    Order order_ = 0;
    std::map<Oid, Newest> newest_;  // of those that came while something was kept: only it may hold older ones

    Stage stage_ = Stage::none;  // of what is passed on:
    std::unique_ptr<Kept> passing_;
    std::string begin_;
    std::string commit_;
    std::size_t described_ = 0;  // definitions of it that were passed on
    std::set<Oid> outdated_;     // that it described as they were before
};

}  // namespace pgsluice
