// A dead letter: one change that a sink refused, as a message of the group's dead-letter stream.
//
// The body is a block of that change alone (stream/format/FORMAT.md), as the rules left it; the headers say who parked
// it and why.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "stream/broker.h"
#include "stream/change.h"
#include "stream/format/block_reader.h"
#include "stream/names.h"

namespace pgsluice {

inline constexpr const char* dead_letter_worker_header = "Pgsluice-Worker";
inline constexpr const char* dead_letter_position_header = "Pgsluice-Position";
inline constexpr const char* dead_letter_reason_header = "Pgsluice-Reason";      // one line
inline constexpr const char* dead_letter_snapshot_header = "Pgsluice-Snapshot";  // "true": a row of the snapshot

// How often the worker had had all delivered again by other rules (EventKey::reload); not there: never.
inline constexpr const char* dead_letter_reload_header = "Pgsluice-Reload";

// As read from the stream: any of it may be another program's.
struct DeadLetter {
    StreamSeq seq;
    std::string worker;
    std::string position;
    std::string reason;
    std::string block;
    bool snapshot = false;
    std::uint64_t reload = 0;
    std::string fault{};  // why it cannot be read, where the group is sealed
};

// Oldest first; only these messages of the dead-letter stream when any are named.
std::vector<DeadLetter> read_dead_letters(Broker& broker, const Names& names, const std::vector<std::uint64_t>& only);

// The body. A row of the snapshot has no transaction; its block gives it one at its position, and the snapshot header
// says that the transaction is made up.
std::string encode_dead_letter(const Change& change);

// The block, which owns the one change in it. Throws an Error that names the message when the body is not one of ours.
std::shared_ptr<const Block> decode_dead_letter(BlockReader& reader, const DeadLetter& letter);

// A worker that was killed may park a change again; the two letters then have the same identity. So they have when
// rules that came later have had it delivered again, which made another event of it: DeadLetter::reload.
using DeadLetterIdentity = std::tuple<std::string, std::string, bool>;
DeadLetterIdentity identity_of(const DeadLetter& letter);

// One line: who parked what and why. Shows no values but those in the reason.
std::string describe_dead_letter(const DeadLetter& letter, const Change& change);

}  // namespace pgsluice
