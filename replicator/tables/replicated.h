// The definitions of the tables that changes come from, for the KV key `tables` (stream/group/tables.h), and their
// foreign keys, for the key `references`.
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
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/change.h"
#include "stream/column_reference.h"

namespace pgsluice {

class SourceRules;

class ReplicatedTables {
   public:
    // The tables as the source's catalog has them, and as former ones those that the key held before.
    // `rules` may be null; then they are shown as they are.
    ReplicatedTables(sql::Connection& source, std::span<const sql::CatalogTable> published, Broker& broker,
                     const ReplicatorOptions& options, const SourceRules* rules);

    // Writes the keys `references` and `tables`; warns when one does not fit.
    void show(Broker& broker, const Names& names, const Log& log) const;
    // A definition from the log. False when it is the one known, or that of a partition whose changes come as those of
    // its root: the log names it, too. Otherwise the catalog is asked for foreign keys again.
    bool update(const Relation& relation);
    // Writes the key `references` alone.
    void show_references(Broker& broker, const Names& names, const Log& log) const;
    [[nodiscard]] std::set<Oid> oids() const;
    [[nodiscard]] std::vector<Relation> now() const;
    // Foreign keys of these, and of the tables above them, as of the start or the last new definition.
    [[nodiscard]] const std::vector<ColumnReference>& references() const { return references_; }
    // The value of the key `tables`.
    [[nodiscard]] std::string encoded() const;

   private:
    [[nodiscard]] bool comes_as_root(const Relation& relation) const;
    [[nodiscard]] const std::optional<Relation>& shown(const Relation& relation) const;
    [[nodiscard]] bool is_hidden(const QualifiedName& table, const std::string& column) const;
    [[nodiscard]] std::vector<ColumnReference> shown_references() const;

    sql::Connection& source_;
    const bool via_root_;
    const SourceRules* rules_;
    std::vector<ColumnReference> references_;
    std::map<Oid, Relation> now_;                           // as seen last, on the source
    mutable std::map<Oid, std::optional<Relation>> shown_;  // of those, as the rules leave them; as far as asked for
    std::map<Oid, Relation> former_;                        // their rows may still be in the targets
};

}  // namespace pgsluice
