// A delivery that arrives at a new consumer although those before it did not, as after a connection that broke.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace pgsluice::test {

class ForgedDelivery {
   public:
    // To the next consumer of the stream that is made: its delivery with this number, of the message of this sequence.
    ForgedDelivery(const std::string& url, const std::string& stream, std::uint64_t number, std::uint64_t seq);
    ~ForgedDelivery();

    // The server has it.
    [[nodiscard]] bool sent() const;

   private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace pgsluice::test
