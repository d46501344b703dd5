// Applies dead letters, one at a time, in a batch of its own each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "sinks/options.h"
#include "sinks/sink.h"
#include "stream/base/log.h"
#include "stream/format/block_reader.h"
#include "stream/group/info.h"
#include "worker/dead_letters/letter.h"

namespace pgsluice {

class DeadLetterReplay {
   public:
    virtual ~DeadLetterReplay() = default;
    // Returns once the letter is durably applied; false when it is no longer owed. `without`: of the tables of a
    // TRUNCATE those, by their place, that it is void for; a PostgreSQL target knows by itself.
    virtual bool apply(const DeadLetter& letter, const std::shared_ptr<const Block>& block,
                       const std::set<std::uint32_t>& without) = 0;
    virtual void close() = 0;
};

// Takes the worker's lock on the target: the worker must not run.
std::unique_ptr<DeadLetterReplay> replay_to_postgres(PostgresSinkOptions options, const Log& log,
                                                     const std::stop_token& stop,
                                                     const std::optional<GroupInfo>& source);
// The receiver knows a repeated change by its Idempotency-Key, which is the one it refused before.
std::unique_ptr<DeadLetterReplay> replay_to_webhook(WebhookSinkOptions options, const Log& log,
                                                    const std::stop_token& stop,
                                                    const std::optional<GroupInfo>& source);

}  // namespace pgsluice
