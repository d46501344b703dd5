#include "sinks/postgres/schema/dumped_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include "sinks/postgres/schema/dependencies.h"
#include "sinks/postgres/schema/pg_dump.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

// Reported as a wait for a server is: in the log and in status, from ten seconds on until it is over.
class DumpWait {
   public:
    explicit DumpWait(const sql::ConnectOptions& source) : source_(source) {}
    ~DumpWait() {
        if (!reported_) return;
        try {
            report("");
        } catch (...) {  // only a message
        }
    }
    DumpWait(const DumpWait&) = delete;
    DumpWait& operator=(const DumpWait&) = delete;

    void look() {
        if (waited() < report_after || !source_.on_long_wait) return;
        reported_ = true;
        report("it has not answered yet");
    }

   private:
    static constexpr std::chrono::seconds report_after{10};

    [[nodiscard]] std::chrono::milliseconds waited() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since_);
    }
    void report(const std::string& text) const {
        source_.on_long_wait(
            {this, fmt::format("pg_dump on the source at '{}'", sql::describe(source_)), text, waited()});
    }

    const sql::ConnectOptions& source_;
    const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
    bool reported_ = false;
};

// Never needed for a table to hold rows, and not ours to create.
bool is_ours(const SchemaEntry& entry) {
    constexpr std::array<std::string_view, 10> others{
        "EVENT TRIGGER", "PUBLICATION", "PUBLICATION TABLE", "SUBSCRIPTION", "VIEW", "MATERIALIZED VIEW",
        "RULE",          "POLICY",      "ROW SECURITY",      "DEFAULT ACL"};
    return std::find(others.begin(), others.end(), entry.type) == others.end();
}

// "public.users" of "ALTER TABLE ONLY public.users\n    ADD CONSTRAINT ...", quoted where it must be.
std::string_view table_of(const SchemaEntry& entry) {
    const std::string_view text = entry.text;
    const auto at = text.find("ALTER TABLE ");
    return at == std::string_view::npos ? std::string_view() : text.substr(at, text.find('\n', at) - at);
}

}  // namespace

std::vector<std::string> DumpedSchema::selection(sql::Connection& source, const std::vector<TableName>& tables) {
    std::vector<std::string> arguments;
    for (const std::string& name : tables_to_make(source, tables)) arguments.push_back("--table=" + name);
    return arguments;
}

// pg_dump locks the tables it describes. When another session is waiting to alter one, pg_dump waits for the end of
// the replicator's copy; and the copy, where the stream is full, waits for us.
std::string DumpedSchema::dump_or_name_locker(sql::Connection& source, const std::vector<TableName>& tables,
                                              const std::vector<std::string>& arguments) {
    DumpWait wait(options_.source);
    const auto tell = [&] {
        tell_();
        wait.look();
    };
    try {
        return run_pg_dump(options_.source, source.server_version(), arguments, stop_, tell);
    } catch (const Error&) {
        refuse_locked(source, tables, "pg_dump", options_.lock_wait_ms);
        throw;
    }
}

std::vector<SchemaEntry> DumpedSchema::dump(sql::Connection& source, const std::vector<TableName>& tables,
                                            std::vector<std::string> arguments) {
    for (const char* more : {"--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications",
                             "--no-subscriptions", "--no-security-labels", "--no-comments"})
        arguments.emplace_back(more);
    arguments.push_back(fmt::format("--lock-wait-timeout={}", options_.lock_wait_ms));
    auto entries = parse_dump(dump_or_name_locker(source, tables, arguments));
    std::erase_if(entries, [](const SchemaEntry& entry) { return !is_ours(entry); });
    return entries;
}

// A column that a rule leaves out gets no values, not that of its default either. A partition cannot allow NULL where
// its parents do not, so they must, too, before it is attached.
EmptyColumns DumpedSchema::left_out(sql::Connection& source, const std::vector<const Relation*>& tables) {
    EmptyColumns columns;
    for (const Relation* table : tables) {
        std::vector<std::string> come;
        for (const Column& column : table->columns) come.push_back(column.name);
        for (const auto& [of, column] : columns_without_value(source, {table->schema, table->table}, come))
            columns[of].insert(column);
    }
    return columns;
}

std::vector<SchemaEntry> DumpedSchema::before_load(sql::Connection& source,
                                                   const std::vector<const Relation*>& relations,
                                                   const std::vector<Oid>& types) {
    const auto tables = names_of(relations);
    auto entries = dump(source, {}, {"--section=pre-data", "--exclude-table=*.*"});
    const SchemaDependencies needed(source, tables, types);
    std::erase_if(entries, [&](const SchemaEntry& entry) { return !needed.contains(entry); });
    auto arguments = selection(source, tables);
    if (arguments.empty()) return entries;
    arguments.emplace_back("--section=pre-data");
    auto ours = dump(source, tables, arguments);
    const EmptyColumns columns = left_out(source, relations);
    for (SchemaEntry& entry : ours) {
        const auto found = columns.find({entry.schema, entry.name});
        if (entry.type != "TABLE" || found == columns.end()) continue;
        // In the same string, hence the same transaction: a table that is there is left as it is.
        for (const std::string& column : found->second)
            entry.text +=
                fmt::format("\nALTER TABLE {0} ALTER COLUMN {1} DROP NOT NULL, ALTER COLUMN {1} DROP DEFAULT;",
                            sql::quote_qualified(entry.schema, entry.name), sql::quote_identifier(column));
    }
    entries.insert(entries.end(), ours.begin(), ours.end());
    return entries;
}

// Constraints lock their table, so those of one table follow each other; indexes of one table can be built at once.
EntriesAfterLoad DumpedSchema::after_load(sql::Connection& source, const std::vector<TableName>& tables) {
    auto arguments = selection(source, tables);
    arguments.emplace_back("--section=post-data");
    EntriesAfterLoad rest;
    std::map<std::string, std::vector<SchemaEntry>> constraints;
    for (SchemaEntry& entry : dump(source, tables, arguments)) {
        if (entry.type == "CONSTRAINT")
            constraints[std::string(table_of(entry))].push_back(std::move(entry));
        else
            (entry.type == "INDEX" ? rest.indexes : rest.last).push_back(std::move(entry));
    }
    for (auto& [table, of_table] : constraints) rest.constraints.push_back(std::move(of_table));
    return rest;
}

}  // namespace pgsluice
