// The command that a worker stopped at, and what was decided about it and earlier ones: the KV keys
// `ddl_pending.<worker>`, which the worker writes, and `ddl_decided.<worker>`, which `pgsluice ddl` writes (FORMAT.md,
// "Keys").
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/broker.h"
#include "stream/definition/ddl_place.h"
#include "stream/names.h"

namespace pgsluice {

using DdlDecided = std::map<DdlPlace, DdlDecision>;

std::string encode(const PendingDdl& pending);
std::string encode(const DdlDecided& decided);
// A stop Error when it is malformed.
PendingDdl decode_pending_ddl(std::string_view json);
DdlDecided decode_ddl_decided(std::string_view json);

class DdlKeys {
   public:
    DdlKeys(Broker& broker, Names names, const std::string& worker);

    [[nodiscard]] std::optional<PendingDdl> pending();
    [[nodiscard]] DdlDecided decided();
    void show(const PendingDdl& pending);
    // Keeps the newest decisions: a transaction that is read again meets its earlier ones again. The command is no
    // longer shown.
    void decide(const DdlPlace& place, DdlDecision decision);

    // Of the group's workers that stopped at one.
    [[nodiscard]] static std::vector<std::string> workers_waiting(Broker& broker, const Names& names);

   private:
    Broker& broker_;
    Names names_;
    std::string pending_key_;
    std::string decided_key_;
};

}  // namespace pgsluice
