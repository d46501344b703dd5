#include "sinks/postgres/ddl/index_builds.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sinks/postgres/ddl/index_build.h"
#include "sql/error.h"
#include "sql/quote.h"
#include "stream/base/pause.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto look_every = std::chrono::milliseconds(200);
constexpr auto question_interval = std::chrono::seconds(1);
constexpr auto report_after = std::chrono::seconds(10);

// {} the group and worker, as flags.
constexpr const char* mend_and_build_again =
    "Mend the reason on the target, then `pgsluice ddl apply {0}` builds it again; or leave the index out with "
    "`pgsluice ddl skip {0}`. Rows are applied meanwhile, until a command comes that needs the index.";

}  // namespace

IndexBuilds::IndexBuilds(const PostgresSinkOptions& options, DdlDecisions* decisions, const Log& log,
                         std::stop_token stop)
    : options_(options), decisions_(decisions), log_(log), notes_(options), outer_stop_(std::move(stop), [this] {
          stop_.request_stop();
      }) {}

IndexBuilds::~IndexBuilds() { stop_.request_stop(); }

// A partitioned table's index cannot be built so.
bool IndexBuilds::takes(sql::Connection& connection, const DerivedStatement& statement) const {
    if (!options_.build_indexes_concurrently || statement.built_index.empty()) return false;
    const std::string table = sql::quote_qualified(statement.table->schema, statement.table->table);
    return connection
        .query(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid = pg_catalog.to_regclass($1))",
            {table}, {1, 1, 1})
        .boolean(0, 0);
}

void IndexBuilds::note(sql::Connection& connection, const DerivedStatement& statement, const DdlPlace& place) {
    noted_.push_back({notes_.add(connection, statement, place), statement, place});
}

bool IndexBuilds::concern(sql::Connection& connection, const std::vector<DerivedStatement>& statements) const {
    std::vector<QualifiedName> about;
    for (const DerivedStatement& statement : statements) {
        const bool built = options_.build_indexes_concurrently && !statement.built_index.empty();
        if (built || statement.only_if_missing) continue;
        const auto tables = statement.tables();
        const bool refers = statement.text.find(" REFERENCES ") != std::string::npos;  // to any
        if (tables.empty() || refers) return true;
        about.insert(about.end(), tables.begin(), tables.end());
    }
    return !about.empty() && notes_.concern(connection, about);
}

std::vector<IndexBuilds::Noted> IndexBuilds::take_back(sql::Connection& connection) {
    for (const Noted& noted : noted_) notes_.remove(connection, noted.id);
    return std::exchange(noted_, {});
}

void IndexBuilds::committed() {
    if (noted_.empty()) return;
    noted_.clear();
    start();
}

void IndexBuilds::resume(sql::Connection& connection) {
    if (notes_.first(connection)) start();
}

void IndexBuilds::start() {
    const std::lock_guard lock(mutex_);
    again_ = true;
    if (running_ || refused_) return;
    running_ = true;
    thread_ = std::jthread([this] { run(stop_.get_token()); });
}

bool IndexBuilds::running() {
    const std::lock_guard lock(mutex_);
    return running_;
}

bool IndexBuilds::pending() {
    const std::lock_guard lock(mutex_);
    return running_ || refused_;
}

bool IndexBuilds::ended() {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    if (refused_ && decisions_ == nullptr) throw stop_error(refused_->what(), refused_->hint());
    return std::exchange(ended_, false);
}

std::optional<UndecidedDdl> IndexBuilds::refused() {
    const std::lock_guard lock(mutex_);
    return refused_;
}

// A decision to leave it out may be from before a restart, after which it was refused again.
bool IndexBuilds::awaits_decision() {
    const DdlPlace place = refused()->pending.place;
    return asked_ ? decisions_->awaits(place) : decisions_->find(place) != DdlDecision::skip;
}

void IndexBuilds::see_refused(sql::Connection& connection) {
    const auto command = refused();
    if (!command || Clock::now() < next_question_) return;
    next_question_ = Clock::now() + question_interval;
    if (!awaits_decision()) return decided(connection);
    if (std::exchange(asked_, true)) return;
    log_(LogLevel::warning, fmt::format("waiting for a decision: {}. {}", command->what(), command->hint()));
    decisions_->ask(command->pending);
}

void IndexBuilds::decided(sql::Connection& connection) {
    const auto command = refused();
    if (decisions_->find(command->pending.place) == DdlDecision::skip) {
        log_(LogLevel::warning, fmt::format("left out, as decided: index on {}", command->pending.object));
        notes_.remove(connection, refused_index_);
    }
    asked_ = false;
    {
        const std::lock_guard lock(mutex_);
        refused_.reset();
    }
    start();
}

void IndexBuilds::finish(const std::function<void()>& meanwhile) {
    const auto began = Clock::now();
    const auto report = [&](const char* text) {
        const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
        if (waited >= report_after && options_.target.on_long_wait)
            options_.target.on_long_wait({this, "an index (--ddl-build-indexes)", text, waited});
    };
    while (running()) {
        if (!pause(stop_.get_token(), look_every)) throw Interrupted{};
        meanwhile();
        report("it is being built beside the stream, and the next command may need it");
    }
    report("");
    ended();
}

void IndexBuilds::run(const std::stop_token& stop) {
    try {
        std::optional<sql::Connection> connection;
        while (again()) {
            if (!connection) connection.emplace(options_.target, stop);
            while (build_next(*connection)) {
            }
        }
    } catch (...) {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
        running_ = false;
    }
}

// Whether more was noted since the last look; if not, the thread ends.
bool IndexBuilds::again() {
    const std::lock_guard lock(mutex_);
    if (!refused_ && std::exchange(again_, false)) return true;
    running_ = false;
    return false;
}

bool IndexBuilds::build_next(sql::Connection& connection) {
    const auto index = notes_.first(connection);
    if (!index) return false;
    try {
        build_index(connection, *index, log_);
    } catch (const SqlError& error) {
        if (error.action() == Action::retry) throw;
        refuse(*index, error);
        return false;
    }
    connection.exec("RESET ROLE");
    notes_.remove(connection, index->id);
    const std::lock_guard lock(mutex_);
    ended_ = true;
    return true;
}

void IndexBuilds::refuse(const NotedIndex& index, const SqlError& error) {
    const std::string object = fmt::format("index '{}.{}'", index.table.schema, index.name);
    const std::string flags = fmt::format("--group {} --worker-name {}", options_.group, options_.worker);
    const std::string hint = fmt::format(fmt::runtime(mend_and_build_again), flags);
    UndecidedDdl command({index.place, std::string(name_of(DdlKind::index)), object, index.text, error.what()},
                         fmt::format("unable to build {} beside the stream: {} ({})", object, error.what(), index.text),
                         hint);
    const std::lock_guard lock(mutex_);
    refused_.emplace(std::move(command));
    refused_index_ = index.id;
}

}  // namespace pgsluice
