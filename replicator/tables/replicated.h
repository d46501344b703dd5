// The definitions of the tables that changes come from, for the KV key `tables` (stream/group/tables.h).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "replicator/options.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "stream/broker.h"
#include "stream/change.h"
#include "stream/log.h"

namespace pgsluice {

class SourceRules;

class ReplicatedTables {
   public:
    // The tables as the source's catalog has them, and as former ones those that the key held before.
    // `rules` may be null; then they are shown as they are.
    ReplicatedTables(sql::Connection& source, std::span<const sql::CatalogTable> published, Broker& broker,
                     const ReplicatorOptions& options, const SourceRules* rules);

    // Writes the key; warns when it does not fit.
    void show(Broker& broker, const Names& names, const Log& log) const;
    // A definition from the log. False when it is the one known.
    bool update(const Relation& relation);
    [[nodiscard]] std::set<Oid> oids() const;
    [[nodiscard]] std::vector<Relation> now() const;
    // The key's value.
    [[nodiscard]] std::string encoded() const;

   private:
    [[nodiscard]] const std::optional<Relation>& shown(const Relation& relation) const;

    const SourceRules* rules_;
    std::map<Oid, Relation> now_;                           // as seen last, on the source
    mutable std::map<Oid, std::optional<Relation>> shown_;  // of those, as the rules leave them; as far as asked for
    std::map<Oid, Relation> former_;                        // their rows may still be in the targets
};

}  // namespace pgsluice
