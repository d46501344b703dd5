#include "sinks/postgres/snapshot/copy_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "sinks/postgres/apply/rows.h"
#include "sinks/postgres/history/copied_versions.h"
#include "sinks/postgres/kept_rows.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/statements.h"
#include "sql/quote.h"
#include "sql/sqlstate.h"
#include "stream/failpoint.h"
#include "stream/format/copy_text.h"

namespace pgsluice {

namespace {

// How long a COPY waits for more of its table before it commits what it has.
constexpr auto linger = std::chrono::milliseconds(30);

// Tables are loaded in no particular order; only a role without the right to session_replication_role meets this.
constexpr const char* foreign_key_violation = "23503";
constexpr const char* foreign_key_hint =
    "Use a role that may set session_replication_role, or create the foreign keys after the copy, as "
    "--target-sync-schema does.";

// Leaves out the columns the target computes itself.
std::string project(const TargetMapping& mapping, std::string_view text, Arena& arena) {
    std::string out;
    out.reserve(text.size());
    std::vector<Value> kept;
    while (!text.empty()) {
        const auto row = parse_copy_line(take_copy_line(text), mapping.relation.columns.size(), arena);
        kept.clear();
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (mapping.writes(i)) kept.push_back(row[i]);
        }
        append_copy_line(out, kept);
    }
    return out;
}

SqlError refused(const TargetMapping& mapping, const SqlError& error) {
    if (error.action() == Action::retry) return error;
    std::string hint = error.hint();
    if (hint.empty() && sql::refuses_row(error.sqlstate())) hint = refused_row_hint;
    if (error.sqlstate() == foreign_key_violation) hint = foreign_key_hint;
    return {
        error.action(),
        fmt::format("unable to load rows into '{}.{}': {}", mapping.table.schema, mapping.table.table, error.what()),
        error.sqlstate(), hint};
}

bool writes_all(const TargetMapping& mapping) {
    return std::find(mapping.target_of.begin(), mapping.target_of.end(), -1) == mapping.target_of.end();
}

}  // namespace

struct CopyLoader::Loader {
    PostgresSession session;
    std::set<std::string> staged{};  // staging tables that exist in this session
    bool keep = false;               // rows may meet others
    const std::set<Oid>& kept;       // KeptRows
    const PostgresSinkOptions& options;
    Range range{};                       // of the block it took last
    std::optional<std::string> owner{};  // as whom this transaction writes; nothing: as ourselves

    // What is merged into the table after the COPY; empty where COPY writes to the table itself. Outside a COPY.
    std::string staging(const TargetMapping& mapping) {
        if (mapping.keeps_history() || (!owner && !merges(mapping))) return "";
        std::string name = fmt::format("pgsluice_{}_{}", owner ? "texts" : "load", mapping.table.oid);
        if (!staged.insert(name).second) return name;
        if (owner) {
            session.connection.exec(fmt::format("{}; GRANT SELECT ON pg_temp.{} TO {}",
                                                create_text_staging(mapping, name), name,
                                                sql::quote_identifier(*owner)));
        } else {
            session.connection.exec(create_staging(mapping, name));
        }
        return name;
    }
    void merge(const TargetMapping& mapping, const std::string& staging) {
        if (mapping.keeps_history()) return;  // at the copy's end
        if (owner)
            session.run_as(*owner,
                           merge_text_staging(mapping, staging, merges(mapping) ? Conflict::update : Conflict::fail));
        else if (!staging.empty())
            session.connection.exec(merge_staging(mapping, staging));
    }
    [[nodiscard]] bool merges(const TargetMapping& mapping) const { return is_written_over(mapping, keep, kept); }
    std::string copy_statement(const TargetMapping& mapping, const std::string& staging) const {
        if (mapping.keeps_history()) return copy_rows(mapping, CopiedVersions::place(options, mapping.relation));
        return copy_rows(mapping, staging.empty() ? mapping.table.name : "pg_temp." + staging);
    }
};

CopyLoader::CopyLoader(const PostgresSinkOptions& options, TargetOrigins& origins, const PostgresProgress& progress,
                       std::uint64_t epoch, std::set<Oid> kept, std::stop_token stop, DeadLetters* dead_letters,
                       std::function<void()> tell)
    : options_(options),
      origins_(origins),
      progress_(progress),
      epoch_(epoch),
      kept_(std::move(kept)),
      dead_letters_(options.on_error == OnError::dead_letter ? dead_letters : nullptr),
      tell_(std::move(tell)),
      outer_stop_(std::move(stop), [this] { stop_.request_stop(); }) {
    const int count = std::max(1, options_.copy_workers);
    for (int i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
}

CopyLoader::~CopyLoader() {
    stop_.request_stop();
    threads_.clear();  // joins
}

void CopyLoader::check() {
    const std::lock_guard lock(mutex_);
    check_locked();
}

void CopyLoader::check_locked() {
    if (stop_.stop_requested() && !failure_) throw Interrupted{};
    if (failure_) std::rethrow_exception(failure_);
}

template <typename Ready>
void CopyLoader::wait(std::unique_lock<std::mutex>& lock, Ready ready) {
    while (!room_.wait_for(lock, stop_.get_token(), std::chrono::milliseconds(200), ready)) {
        if (stop_.stop_requested()) return;
        lock.unlock();
        tell_();
        lock.lock();
    }
}

void CopyLoader::add(const CopyBlock& block, std::shared_ptr<const TargetMapping> mapping) {
    std::unique_lock lock(mutex_);
    wait(lock, [this] { return failure_ || bytes_ < max_waiting_bytes; });
    check_locked();
    Waiting& waiting = waiting_[{mapping.get(), block.first_page}];
    waiting.bytes += block.text.size();
    bytes_ += block.text.size();
    outstanding_.insert(block.first_seq.value);
    waiting.works.push_back({block, std::move(mapping)});
    finishing_ = false;
    work_.notify_one();
}

void CopyLoader::await_loaded() {
    std::unique_lock lock(mutex_);
    finishing_ = true;
    work_.notify_all();
    wait(lock, [this] { return failure_ || outstanding_.empty(); });
    check_locked();
}

std::optional<StreamSeq> CopyLoader::first_outstanding() {
    const std::lock_guard lock(mutex_);
    if (outstanding_.empty()) return std::nullopt;
    return StreamSeq{*outstanding_.begin()};
}

void CopyLoader::run() noexcept {
    try {
        Loader loader{.session = open_session(options_, stop_.get_token()),
                      .keep = options_.existing_rows == ExistingRows::keep,
                      .kept = kept_,
                      .options = options_};
        while (!stop_.stop_requested()) load_next(loader);
    } catch (const Interrupted&) {
    } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
        stop_.request_stop();
    }
    room_.notify_all();
}

// With `mapping`, only of this table. Prefers the loader's own range, then one that no other loader has.
std::optional<CopyLoader::Work> CopyLoader::pop(Loader& loader, const TargetMapping* mapping) {
    auto chosen = waiting_.find(loader.range);
    if (chosen == waiting_.end() || (mapping != nullptr && chosen->first.mapping != mapping)) {
        chosen = waiting_.end();
        std::pair<bool, std::size_t> best;
        for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
            if (mapping != nullptr && at->first.mapping != mapping) continue;
            const std::pair merit(!held_.contains(at->first), at->second.bytes);
            if (chosen != waiting_.end() && merit <= best) continue;
            chosen = at;
            best = merit;
        }
        if (chosen == waiting_.end()) return std::nullopt;
        if (const auto old = held_.find(loader.range); old != held_.end()) held_.erase(old);
        loader.range = *held_.insert(chosen->first);
    }
    Waiting& waiting = chosen->second;
    Work work = std::move(waiting.works.front());
    waiting.works.pop_front();
    waiting.bytes -= work.block.text.size();
    if (waiting.works.empty()) waiting_.erase(chosen);
    return work;
}

std::optional<CopyLoader::Work> CopyLoader::take(Loader& loader) {
    std::unique_lock lock(mutex_);
    work_.wait(lock, stop_.get_token(), [this] { return !waiting_.empty(); });
    return pop(loader, nullptr);
}

std::optional<CopyLoader::Work> CopyLoader::take_more(Loader& loader) {
    std::unique_lock lock(mutex_);
    if (waiting_.empty() && !finishing_) {
        work_.wait_for(lock, stop_.get_token(), linger, [this] { return !waiting_.empty() || finishing_; });
    }
    return pop(loader, loader.range.mapping);
}

void CopyLoader::begin(Loader& loader, const TargetMapping& mapping) {
    loader.session.connection.exec(loader.session.begin());
    PostgresProgress::fence(loader.session.connection, progress_);
    loader.session.guard.forget();
    loader.owner = loader.session.owner_to_write_as(written_table(mapping));
}

void CopyLoader::commit(Loader& loader, const std::vector<Work>& works) {
    std::vector<std::uint64_t> seqs;
    for (const Work& work : works) seqs.push_back(work.block.first_seq.value);
    PostgresProgress::record_loaded(loader.session.connection, progress_, epoch_, seqs);
    loader.session.guard.end(loader.session.connection);
    PGSLUICE_FAILPOINT("postgres-load-before-commit");
    origins_.commit(loader.session.connection);
    PGSLUICE_FAILPOINT("postgres-load-after-commit");
    committed(works);
}

void CopyLoader::load_next(Loader& loader) {
    std::optional<Work> work = take(loader);
    if (!work) return;
    const std::shared_ptr<const TargetMapping> mapping = work->mapping;
    std::vector<Work> works;
    begin(loader, *mapping);
    try {
        load_together(loader, std::move(*work), works);
    } catch (const SqlError& error) {
        if (error.action() == Action::retry) throw;
        if (dead_letters_ == nullptr || !sql::refuses_row(error.sqlstate())) throw refused(*mapping, error);
        loader.session.connection.exec("ROLLBACK");
        loader.staged.clear();  // made in that transaction
        begin(loader, *mapping);
        load_apart(loader, works);
    }
    commit(loader, works);
}

void CopyLoader::load_together(Loader& loader, Work first, std::vector<Work>& works) {
    const TargetMapping& mapping = *first.mapping;
    const bool all_columns = writes_all(mapping);
    const std::string staging = loader.staging(mapping);
    sql::Connection& connection = loader.session.connection;
    sql::CopyIn copy = connection.copy_in(loader.copy_statement(mapping, staging));
    Arena arena;
    std::size_t bytes = 0;
    works.push_back(std::move(first));
    for (;;) {
        const std::string_view text = works.back().block.text;
        copy.write(all_columns ? text : std::string_view(project(mapping, text, arena)));
        arena.clear();
        bytes += text.size();
        std::optional<Work> more = bytes < max_copy_bytes ? take_more(loader) : std::nullopt;
        if (!more) break;
        works.push_back(std::move(*more));
    }
    copy.end();
    loader.merge(mapping, staging);
}

void CopyLoader::load_apart(Loader& loader, const std::vector<Work>& works) {
    for (const Work& work : works) load_lines(loader, work, work.block.text, 1);
}

void CopyLoader::load_lines(Loader& loader, const Work& work, std::string_view lines, std::size_t first_line) {
    const TargetMapping& mapping = *work.mapping;
    const std::string staging = loader.staging(mapping);
    sql::Connection& connection = loader.session.connection;
    connection.exec("SAVEPOINT pgsluice_lines");
    try {
        Arena arena;
        sql::CopyIn copy = connection.copy_in(loader.copy_statement(mapping, staging));
        copy.write(writes_all(mapping) ? lines : std::string_view(project(mapping, lines, arena)));
        copy.end();
        loader.merge(mapping, staging);
        if (!staging.empty()) connection.exec("DELETE FROM pg_temp." + staging);
        connection.exec("RELEASE SAVEPOINT pgsluice_lines");
        return;
    } catch (const SqlError& error) {
        if (!sql::refuses_row(error.sqlstate())) throw refused(*work.mapping, error);
        connection.exec("ROLLBACK TO SAVEPOINT pgsluice_lines; RELEASE SAVEPOINT pgsluice_lines");
        const auto count = static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
        if (count <= 1) return park(loader, work, take_copy_line(lines), first_line, error);
    }
    std::string_view rest = lines;
    const auto half = static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n')) / 2;
    for (std::size_t i = 0; i < half; ++i) take_copy_line(rest);
    load_lines(loader, work, lines.substr(0, lines.size() - rest.size()), first_line);
    load_lines(loader, work, rest, first_line + half);
}

void CopyLoader::park(Loader& loader, const Work& work, std::string_view line, std::size_t number, const Error& error) {
    Arena arena;
    Change change;
    change.snapshot = true;
    change.relation = work.block.relation;
    change.position = work.block.first_position;
    change.position.ordinal += number - 1;
    change.new_row = parse_copy_line(line, work.mapping->relation.columns.size(), arena);
    const std::lock_guard lock(parking_);
    dead_letters_->park(change, fmt::format("unable to load row {} of the stream's message {} into '{}.{}': {}", number,
                                            work.block.first_seq.value, work.mapping->table.schema,
                                            work.mapping->table.table, error.what()));
    PostgresProgress::note_parked(loader.session.connection, progress_, change);
}

void CopyLoader::committed(const std::vector<Work>& works) {
    const std::lock_guard lock(mutex_);
    for (const Work& work : works) {
        outstanding_.erase(work.block.first_seq.value);
        bytes_ -= work.block.text.size();
    }
    room_.notify_all();
}

}  // namespace pgsluice
