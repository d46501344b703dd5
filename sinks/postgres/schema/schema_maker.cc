#include "sinks/postgres/schema/schema_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "sinks/postgres/rights/as_owner.h"
#include "sinks/postgres/rights/target_owner.h"
#include "sinks/postgres/schema/dependencies.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

constexpr const char* target_settings =
    "SET check_function_bodies = off; SET client_min_messages = warning; SET maintenance_work_mem = '256MB'";

// Already there: duplicate schema, object, table, function, column; and by the entry's type a second primary key, a
// partition attached, a column that is an identity or has a default already.
bool means_exists(const SchemaEntry& entry, const SqlError& error) {
    constexpr std::array<std::string_view, 5> states{"42P06", "42710", "42P07", "42723", "42701"};
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> of_type{
        {{"CONSTRAINT", "42P16"}, {"TABLE ATTACH", "42809"}, {"INDEX ATTACH", "55000"}, {"SEQUENCE", "55000"}}};
    const std::pair<std::string_view, std::string_view> this_one(entry.type, error.sqlstate());
    return std::find(states.begin(), states.end(), error.sqlstate()) != states.end() ||
           std::find(of_type.begin(), of_type.end(), this_one) != of_type.end();
}

// A foreign key to a table that is not copied, or not to the end: it holds on the source, not here.
bool is_key_to_elsewhere(const SchemaEntry& entry, const SqlError& error) {
    return entry.type == "FK CONSTRAINT" && (error.sqlstate() == "23503" || error.sqlstate() == "42830");
}

// Something it needs is missing, a cast too, which may come later in the script.
bool means_missing(const SqlError& error) {
    constexpr std::array<std::string_view, 7> states{"42P01", "42704", "42883", "3F000", "42703", "0A000", "42846"};
    return std::find(states.begin(), states.end(), error.sqlstate()) != states.end();
}

// A type, an extension or the like that cannot be made at all: the tables may do without. Not so when the server is at
// its limits (class 53) or was told to end (57).
bool is_no_obstacle(const SchemaEntry& entry, const SqlError& error) {
    return error.action() == Action::stop && SchemaDependencies::may_contain(entry) &&
           !error.sqlstate().starts_with("53") && !error.sqlstate().starts_with("57");
}

void make_as(sql::Connection& target, const std::string& owner, const std::string& statements,
             const std::string& doing) {
    try {
        run_as_owner(target, owner, statements);
    } catch (const SqlError& error) {
        const std::string hint =
            error.sqlstate() != "42501"
                ? error.hint()
                : fmt::format(
                      "It is made with the rights of --target-owner: on the target, GRANT CREATE ON the schema "
                      "(for a schema or extension, ON the database) TO {0}; a table that is there must belong "
                      "to {0}, too.",
                      sql::quote_identifier(owner));
        throw SqlError(error.action(), fmt::format("unable to {}: {}", doing, error.what()), error.sqlstate(), hint);
    }
}

}  // namespace

sql::Connection SchemaMaker::connect_target() {
    sql::Connection target(options_.target, stop_);
    target.exec(target_settings);
    return target;
}

void SchemaMaker::take_turns(sql::Connection& target) {
    target.on_tick(tell_);
    target.exec("SELECT pg_advisory_lock(hashtextextended('pgsluice/schema', 0))");
}

void SchemaMaker::make(sql::Connection& target, const SchemaEntry& entry, const std::string& doing) {
    target.exec("BEGIN");
    try {
        const auto maker = target_owner(options_);
        const auto role = entry.table ? owner_of(target, {*entry.table}, maker) : maker;
        if (role)
            make_as(target, *role, entry.text, doing);
        else
            target.exec(entry.text, doing);
        origins_.commit(target);
    } catch (const SqlError& error) {
        if (error.action() != Action::retry) target.exec("ROLLBACK");
        throw;
    }
}

std::vector<SchemaMaker::Failed> SchemaMaker::try_all(sql::Connection& target,
                                                      const std::vector<SchemaEntry>& entries) {
    std::vector<Failed> failed;
    for (const SchemaEntry& entry : entries) {
        if (!entry.condition.empty() && !target.query("SELECT " + entry.condition, {}, {1, 1, 1}).boolean(0, 0))
            continue;
        try {
            make(target, entry, fmt::format("create {} '{}' on the target", entry.type, entry.name));
        } catch (const SqlError& error) {
            if (means_exists(entry, error)) continue;
            const bool later =
                means_missing(error) || is_key_to_elsewhere(entry, error) || is_no_obstacle(entry, error);
            if (!later) throw;
            failed.push_back({entry, fmt::format("{} (SQLSTATE {})", error.what(), error.sqlstate())});
        }
    }
    return failed;
}

void SchemaMaker::warn(const std::vector<Failed>& failed) {
    for (const auto& [entry, reason] : failed) log_(LogLevel::warning, reason);
}

void SchemaMaker::make_in_order(sql::Connection& target, const std::vector<SchemaEntry>& entries) {
    warn(try_all(target, entries));
}

void SchemaMaker::make_all(sql::Connection& target, const std::vector<SchemaEntry>& entries) {
    // A function may name a table's row type and a table's default a function: what fails is tried again, as long as
    // that gets any further.
    auto left = try_all(target, entries);
    for (std::size_t before = entries.size(); !left.empty() && left.size() < before;) {
        before = left.size();
        std::vector<SchemaEntry> again;
        for (Failed& failed : left) again.push_back(std::move(failed.entry));
        left = try_all(target, again);
    }
    warn(left);
}

void SchemaMaker::make_groups(const std::vector<std::vector<SchemaEntry>>& groups) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::condition_variable ended;
    std::exception_ptr failure;
    std::vector<std::jthread> threads;
    auto running = std::min(groups.size(), static_cast<std::size_t>(std::max(1, options_.copy_workers)));
    const auto work = [&]() noexcept {
        try {
            sql::Connection target = connect_target();
            for (std::size_t i = next++; i < groups.size(); i = next++) warn(try_all(target, groups[i]));
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
            next = groups.size();
        }
        const std::lock_guard lock(mutex);
        --running;
        ended.notify_one();
    };
    for (std::size_t i = running; i > 0; --i) threads.emplace_back(work);
    try {
        std::unique_lock lock(mutex);
        while (!ended.wait_for(lock, std::chrono::milliseconds(200), [&] { return running == 0; })) {
            lock.unlock();
            tell_();
            lock.lock();
        }
    } catch (...) {
        next = groups.size();
        throw;
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace pgsluice
