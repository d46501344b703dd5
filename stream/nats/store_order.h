// Determines from acknowledgements whether a stream holds messages in the order they were published in. Pure.
//
// Messages after one that the stream refused are already in flight and are stored. The refused one, published again, is
// stored after them, and when they are published again the server drops them as duplicates. The acknowledgements show
// it: that of a duplicate names the message stored first, whose sequence is below that of the message published before
// it. The remedy is to publish it, and all after it, once more under other ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace pgsluice {

// The content of an acknowledgement.
struct StoredAs {
    std::string stream;
    std::uint64_t seq = 0;
    bool duplicate = false;  // stored earlier, under the same id
};

class StoreOrder {
   public:
    // Registers a message being sent; returns its number, from 0.
    std::uint64_t sent();
    // The acknowledgement of a message; they may come in any order.
    void stored(std::uint64_t number, StoredAs as);
    // All unsettled messages have been sent again.
    void sent_again();

    // The first message that is not settled, that is, not known to be stored after those published before it to its
    // stream.
    [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
    [[nodiscard]] std::size_t unsettled() const noexcept { return acks_.size(); }
    // The first unsettled message is stored before one that was published before it.
    [[nodiscard]] bool disordered() const noexcept { return disordered_; }
    // None is in flight.
    [[nodiscard]] bool all_answered() const noexcept { return answered_ == acks_.size(); }
    // Increases with every acknowledgement.
    [[nodiscard]] std::uint64_t acknowledged() const noexcept { return acknowledged_; }

   private:
    void settle();

    std::deque<std::optional<StoredAs>> acks_;  // from first_ on
    std::uint64_t first_ = 0;
    std::size_t answered_ = 0;  // of them
    std::uint64_t acknowledged_ = 0;
    bool disordered_ = false;
    std::map<std::string, std::uint64_t> last_;  // by stream: the sequence of the last one settled
};

}  // namespace pgsluice
