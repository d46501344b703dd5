#include "sinks/postgres/apply/prepared_statements.h"

#include <fmt/format.h>

#include <stdexcept>

#include "sinks/postgres/history/version_statements.h"

namespace pgsluice {

namespace {

using Kind = StatementKind;

Statement build(const TargetMapping& mapping, Kind kind, const ColumnSet& sent, Conflict conflict, Arrays arrays) {
    switch (kind) {
        case Kind::insert_one:
            return insert_one(mapping, conflict);
        case Kind::update_one:
            return update_one(mapping, sent, false, true);
        case Kind::move_one:
            return update_one(mapping, sent, true, true);
        case Kind::delete_one:
            return delete_one(mapping);
        case Kind::insert_many:
            return insert_many(mapping, conflict, arrays);
        case Kind::update_many:
            return update_many(mapping, sent, true, arrays);
        case Kind::update_piece:
            return update_many(mapping, sent, false, arrays);
        case Kind::delete_many:
            return delete_many(mapping, arrays);
        case Kind::insert_version:
        case Kind::insert_versions:
            return insert_versions(mapping, kind == Kind::insert_version ? Rows::one : Rows::many);
        case Kind::update_version:
        case Kind::update_versions:
            return update_versions(mapping, sent, kind == Kind::update_version ? Rows::one : Rows::many,
                                   is_partial(mapping, sent));
        case Kind::move_version:
            return move_version(mapping, sent, is_partial(mapping, sent));
        case Kind::remove_version:
        case Kind::remove_versions:
            return remove_versions(mapping, kind == Kind::remove_version ? Rows::one : Rows::many);
    }
    throw std::logic_error("no such kind of statement");
}

}  // namespace

TableStatements& PreparedStatements::of(const std::shared_ptr<TargetMapping>& mapping, const Deallocate& deallocate) {
    const auto found = statements_.find(mapping.get());
    if (found != statements_.end()) return found->second;
    for (auto at = statements_.begin(); at != statements_.end();) {
        if (at->second.mapping.use_count() > 1) {
            ++at;
            continue;
        }
        for (const auto& [key, prepared] : at->second.prepared)
            if (prepared.ready) deallocate(prepared.name);
        at = statements_.erase(at);
    }
    TableStatements& made = statements_[mapping.get()];
    made.mapping = mapping;
    return made;
}

Prepared& PreparedStatements::get(TableStatements& statements, StatementKind kind, const ColumnSet& sent,
                                  Conflict conflict, Arrays arrays) {
    const bool upsert = (kind == Kind::insert_one || kind == Kind::insert_many) && conflict == Conflict::update;
    auto [at, fresh] = statements.prepared.try_emplace({kind, upsert ? ColumnSet{true} : sent, arrays});
    if (fresh) {
        at->second.statement = build(*statements.mapping, kind, sent, conflict, arrays);
        at->second.name = fmt::format("pgsluice_{}", ++made_);
    }
    return at->second;
}

}  // namespace pgsluice
