// `pgsluice dlq`: look at a group's dead letters, apply them after all, or throw them away.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "cmd/settings.h"
#include "stream/broker.h"
#include "stream/log.h"
#include "stream/names.h"

namespace pgsluice {

// See dead_letter_stream.h.
struct DeadLetter {
    StreamSeq seq;
    std::string worker;
    std::string position;
    std::string reason;
    std::string block;
};

// Oldest first; only these messages of the dead-letter stream when any are named.
std::vector<DeadLetter> read_dead_letters(Broker& broker, const Names& names, const std::vector<std::uint64_t>& only);

// One line each: who parked what and why. No values but those the reason holds.
void run_dlq_list(Settings settings, const Log& log, std::stop_token stop);
// Applies a PostgreSQL worker's letters in order, each in a transaction of its own, and erases what is applied. Takes
// the worker's lock, so the worker must not run. Stops at the first that is refused again. When it dies between the two
// steps, the next replay applies that letter a second time.
void run_dlq_replay(Settings settings, const Log& log, std::stop_token stop);
// Lists what it would erase, and with settings.yes erases it.
void run_dlq_discard(Settings settings, const Log& log, std::stop_token stop);

}  // namespace pgsluice
