#include "cmd/check/source/rights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "replicator/source/members.h"
#include "replicator/source/publication.h"
#include "replicator/source/recovery.h"
#include "replicator/source/table_selection.h"

namespace pgsluice {

namespace {

struct TableRights {
    std::string schema;  // quoted where that is needed, as are all of these
    std::string name;    // with the schema
    std::string owner;
    bool super_owner = false;  // whose rights should not be given away
    bool owned = false;        // by a role that ours is a member of
    bool usage = false;
    bool select = false;
    bool hidden_rows = false;  // row security applies to the role
};

struct Role {
    std::string name;      // quoted
    std::string database;  // quoted
    bool may_create = false;
};

// The rights of a role whose session is this one.
class SourceRights {
   public:
    SourceRights(const ReplicatorOptions& options, CheckedSource& source, Findings& found)
        : options_(options), source_(source), connection_(*source.connection), found_(found) {
        const auto role = connection_.query(
            "SELECT pg_catalog.quote_ident(current_user), pg_catalog.quote_ident(pg_catalog.current_database()), "
            "pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')",
            {}, {3, 1, 1});
        role_ = {role.text(0, 0), role.text(0, 1), role.boolean(0, 2)};
    }

    std::size_t look() {
        const auto members =
            find_members(connection_, source_.tables, options_.names.publication, options_.publish_via_partition_root);
        leave_out_refused(members);
        std::vector<Oid> named;
        for (const auto& table : source_.tables) named.push_back(table.oid);
        if (options_.mode != ReplicatorMode::copy)
            found_.attempt([&](const Log&) { look_at_publication(rights_of(named)); });
        std::vector<Oid> parts;
        for (const Member& member : members) parts.push_back(member.table.oid);
        look_at_reading(rights_of(parts));
        return parts.size();
    }

   private:
    // A group that is there leaves out what a pattern brings in and it may not have.
    void leave_out_refused(const std::vector<Member>& members) {
        if (!source_.slot || options_.resnapshot) return;
        const TableSelection selection = selection_of(options_);
        std::set<Oid> refused;
        for (const Member& member : members) {
            const auto& named = member.named;
            if (member.obstacle.empty() || !member.capture.empty() || selection.names(named.schema, named.name))
                continue;
            found_.warn(fmt::format("table '{}.{}' would be left out: {}", named.schema, named.name, member.obstacle));
            refused.insert(named.oid);
        }
        leave_out_keyless(selection, refused);
        std::erase_if(source_.tables, [&](const auto& table) { return refused.contains(table.oid); });
    }

    // As the replicator does until its partitions have a replica identity.
    void leave_out_keyless(const TableSelection& selection, std::set<Oid>& refused) {
        for (const Oid oid : unpublished_without_key(connection_, source_.tables, options_.names.publication)) {
            const auto table = std::ranges::find(source_.tables, oid, &sql::CatalogTable::oid);
            if (selection.names(table->schema, table->name)) continue;
            found_.warn(
                fmt::format("partitioned table '{}.{}' would be left out: it has neither a primary key nor "
                            "partitions yet",
                            table->schema, table->name));
            refused.insert(oid);
        }
    }

    std::vector<TableRights> rights_of(const std::vector<Oid>& tables) {
        const std::string oids = fmt::format("{{{}}}", fmt::join(tables, ","));
        const auto rows = connection_.query(
            "SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.format('%I.%I', n.nspname, c.relname), "
            "pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)), "
            "(SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = c.relowner), "
            "pg_catalog.pg_has_role(c.relowner, 'USAGE'), pg_catalog.has_schema_privilege(n.oid, 'USAGE'), "
            "pg_catalog.has_table_privilege(c.oid, 'SELECT'), pg_catalog.row_security_active(c.oid) "
            "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.oid = ANY ($1::pg_catalog.oid[]) ORDER BY 1, 2",
            {sql::Param(oids)}, {8});
        std::vector<TableRights> all;
        for (int row = 0; row < rows.rows(); ++row)
            all.push_back({rows.text(row, 0), rows.text(row, 1), rows.text(row, 2), rows.boolean(row, 3),
                           rows.boolean(row, 4), rows.boolean(row, 5), rows.boolean(row, 6), rows.boolean(row, 7)});
        return all;
    }

    template <typename Picks>
    static std::vector<TableRights> picked(const std::vector<TableRights>& tables, Picks picks) {
        std::vector<TableRights> out;
        std::ranges::copy_if(tables, std::back_inserter(out), picks);
        return out;
    }

    // "public.a, public.b and 3 more"
    static std::string listed(const std::vector<TableRights>& tables) {
        constexpr std::size_t most = 5;
        std::vector<std::string> names;
        for (const auto& table : tables)
            if (names.size() < most) names.push_back(table.name);
        const std::string more = tables.size() > most ? fmt::format(" and {} more", tables.size() - most) : "";
        return fmt::format("{}{}", fmt::join(names, ", "), more);
    }

    static std::string all_of(const std::vector<TableRights>& tables) {
        std::vector<std::string> names;
        for (const auto& table : tables) names.push_back(table.name);
        return fmt::format("{}", fmt::join(names, ", "));
    }

    // What keeps the role from creating the publication, each with the statement that changes it.
    void look_at_creating(const std::vector<TableRights>& tables, const std::string& statement) {
        std::map<std::string, std::vector<TableRights>> by_owner;
        for (const auto& table : tables)
            if (!table.owned) by_owner[table.owner].push_back(table);
        std::vector<std::string> lacks;
        std::vector<std::string> grants;
        for (const auto& [owner, owned] : by_owner) {
            lacks.push_back(fmt::format("it is no member of {}, which owns {}", owner, listed(owned)));
            grants.push_back(fmt::format("GRANT {} TO {}", owner, role_.name));
        }
        if (!role_.may_create) {
            lacks.push_back(fmt::format("it may not create in database {}", role_.database));
            grants.push_back(fmt::format("GRANT CREATE ON DATABASE {} TO {}", role_.database, role_.name));
        }
        if (lacks.empty()) return found_.ok("the role may make the publication");
        const std::string what = fmt::format("role {} may not make publication '{}': {}", role_.name,
                                             options_.names.publication, fmt::join(lacks, "; "));
        if (std::ranges::any_of(tables, [](const auto& table) { return !table.owned && table.super_owner; }))
            return found_.fail(what, fmt::format("As a superuser, run on the source: {}.", statement));
        found_.fail(what, fmt::format("As a superuser, run on the source: {}; or make the publication yourself: {}.",
                                      fmt::join(grants, "; "), statement));
    }

    void look_at_altering(const std::vector<TableRights>& tables, const std::vector<std::string>& statements) {
        const auto owner = connection_.query(
            "SELECT pg_catalog.pg_has_role(pubowner, 'USAGE') FROM pg_catalog.pg_publication WHERE pubname = $1",
            {sql::Param(options_.names.publication)}, {1, 1, 1});
        if (owner.boolean(0, 0) && std::ranges::all_of(tables, &TableRights::owned))
            return found_.ok(fmt::format("publication '{}' would be altered: {}", options_.names.publication,
                                         fmt::join(statements, "; ")));
        found_.fail(fmt::format("publication '{}' is not as it must be, and role {} may not alter it: it must own the "
                                "publication and all of the tables",
                                options_.names.publication, role_.name),
                    fmt::format("As a superuser, run on the source: {}.", fmt::join(statements, "; ")));
    }

    void look_at_publication(const std::vector<TableRights>& tables) {
        if (source_.tables.empty()) return;
        const std::string& name = options_.names.publication;
        const auto statements =
            publication_statements(connection_, name, source_.tables, options_.publish_via_partition_root);
        if (statements.empty()) return found_.ok(fmt::format("publication '{}' is there, as it must be", name));
        refuse_on_standby(connection_, fmt::format("make publication '{}' what it must be", name), statements, false);
        if (publication_exists(connection_, name)) return look_at_altering(tables, statements);
        look_at_creating(tables, statements.front());
    }

    // A group that only streams reads no table.
    void refused(const std::string& text, const std::string& way_out) {
        if (options_.mode == ReplicatorMode::stream) return found_.warn(text + ", so it cannot be copied", way_out);
        found_.fail(text, way_out);
    }

    void look_at_reading(const std::vector<TableRights>& tables) {
        std::set<std::string> schemas;
        for (const auto& table : tables)
            if (!table.usage) schemas.insert(table.schema);
        if (!schemas.empty())
            refused(fmt::format("role {} may not use schema {}", role_.name, fmt::join(schemas, ", ")),
                    fmt::format("Run on the source: GRANT USAGE ON SCHEMA {} TO {}.", fmt::join(schemas, ", "),
                                role_.name));
        const auto unreadable = picked(tables, [](const auto& table) { return !table.select; });
        if (!unreadable.empty())
            refused(fmt::format("role {} may not read {}", role_.name, listed(unreadable)),
                    fmt::format("Run on the source: GRANT SELECT ON {} TO {}.", all_of(unreadable), role_.name));
        const auto hidden = picked(tables, [](const auto& table) { return table.hidden_rows; });
        if (!hidden.empty())
            refused(fmt::format("row security hides rows of {} from role {}", listed(hidden), role_.name),
                    fmt::format("As a superuser, run on the source: ALTER ROLE {} BYPASSRLS.", role_.name));
        if (schemas.empty() && unreadable.empty() && hidden.empty() && !tables.empty())
            found_.ok("the role may read all rows of the tables");
    }

    const ReplicatorOptions& options_;
    CheckedSource& source_;
    sql::Connection& connection_;
    Findings& found_;
    Role role_;
};

}  // namespace

std::size_t look_at_rights(const ReplicatorOptions& options, CheckedSource& source, Findings& found) {
    return SourceRights(options, source, found).look();
}

}  // namespace pgsluice
