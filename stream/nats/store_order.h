// Whether a stream holds messages in the order they were published in, told from its acknowledgements. Pure.
//
// Messages behind one that the stream refused are under way already and are stored; the refused one, published again,
// is then stored behind them, and when they are published again the server drops them as duplicates. That shows: such
// an acknowledgement names the message stored first, whose sequence lies before that of the message published before.
// The remedy is to publish it, and all behind it, anew under other ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace pgsluice {

// What an acknowledgement says.
struct StoredAs {
    std::string stream;
    std::uint64_t seq = 0;
    bool duplicate = false;  // stored earlier, under the same id
};

class StoreOrder {
   public:
    // The number of a message that is sent now, counted from 0.
    std::uint64_t sent();
    // Of a message that was sent; in any order.
    void stored(std::uint64_t number, StoredAs as);
    // All that are not settled are on their way again.
    void sent_again();

    // The first message that is not settled: known to be stored behind those published before it to its stream.
    [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
    [[nodiscard]] std::size_t unsettled() const noexcept { return acks_.size(); }
    // The first that is not settled stands before one published before it.
    [[nodiscard]] bool disordered() const noexcept { return disordered_; }
    // None is on its way.
    [[nodiscard]] bool all_answered() const noexcept { return answered_ == acks_.size(); }
    // Grows with every acknowledgement.
    [[nodiscard]] std::uint64_t heard() const noexcept { return heard_; }

   private:
    void settle();

    std::deque<std::optional<StoredAs>> acks_;  // from first_ on
    std::uint64_t first_ = 0;
    std::size_t answered_ = 0;  // of them
    std::uint64_t heard_ = 0;
    bool disordered_ = false;
    std::map<std::string, std::uint64_t> last_;  // by stream: the sequence of the last one settled
};

}  // namespace pgsluice
