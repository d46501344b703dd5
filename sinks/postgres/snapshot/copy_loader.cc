#include "sinks/postgres/snapshot/copy_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "sinks/postgres/apply/rows.h"
#include "sql/sqlstate.h"
#include "stream/format/copy_text.h"

namespace pgsluice {

namespace {

// How long a COPY waits for more of its table before it commits what it has.
constexpr auto linger = std::chrono::milliseconds(30);

}  // namespace

struct CopyLoader::Loader {
    TableLoader table;
    Range range{};  // of the block it took last
};

CopyLoader::CopyLoader(const PostgresSinkOptions& options, TargetOrigins& origins, const PostgresProgress& progress,
                       std::uint64_t epoch, std::set<Oid> kept, std::stop_token stop, DeadLetters* dead_letters,
                       std::function<void()> tell)
    : options_(options),
      snapshot_{options, origins, progress, epoch, std::move(kept)},
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
        Loader loader{TableLoader(snapshot_, stop_.get_token())};
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

void CopyLoader::commit(Loader& loader, const std::vector<Work>& works) {
    std::vector<std::uint64_t> seqs;
    for (const Work& work : works) seqs.push_back(work.block.first_seq.value);
    loader.table.commit(seqs);
    committed(works);
}

void CopyLoader::load_next(Loader& loader) {
    std::optional<Work> work = take(loader);
    if (!work) return;
    const std::shared_ptr<const TargetMapping> mapping = work->mapping;
    std::vector<Work> works;
    loader.table.begin(*mapping);
    try {
        load_together(loader, std::move(*work), works);
    } catch (const SqlError& error) {
        if (error.action() == Action::retry) throw;
        if (dead_letters_ == nullptr || !sql::refuses_row(error.sqlstate()))
            throw refused_load(*mapping, error, refused_row_hint);
        loader.table.roll_back();
        loader.table.begin(*mapping);
        load_apart(loader, works);
    }
    commit(loader, works);
}

void CopyLoader::load_together(Loader& loader, Work first, std::vector<Work>& works) {
    const TargetMapping& mapping = *first.mapping;
    const std::string staging = loader.table.staging(mapping);
    sql::CopyIn copy = loader.table.copy_in(mapping, staging);
    std::size_t bytes = 0;
    works.push_back(std::move(first));
    for (;;) {
        const std::string_view text = works.back().block.text;
        TableLoader::write(copy, mapping, text);
        bytes += text.size();
        std::optional<Work> more = bytes < max_copy_bytes ? take_more(loader) : std::nullopt;
        if (!more) break;
        works.push_back(std::move(*more));
    }
    copy.end();
    loader.table.merge(mapping, staging);
}

void CopyLoader::load_apart(Loader& loader, const std::vector<Work>& works) {
    for (const Work& work : works) load_lines(loader, work, work.block.text, 1);
}

void CopyLoader::load_lines(Loader& loader, const Work& work, std::string_view lines, std::size_t first_line) {
    const TargetMapping& mapping = *work.mapping;
    const std::string staging = loader.table.staging(mapping);
    sql::Connection& connection = loader.table.connection();
    connection.exec("SAVEPOINT pgsluice_lines");
    try {
        sql::CopyIn copy = loader.table.copy_in(mapping, staging);
        TableLoader::write(copy, mapping, lines);
        copy.end();
        loader.table.merge(mapping, staging);
        if (!staging.empty()) connection.exec("DELETE FROM pg_temp." + staging);
        connection.exec("RELEASE SAVEPOINT pgsluice_lines");
        return;
    } catch (const SqlError& error) {
        if (!sql::refuses_row(error.sqlstate())) throw refused_load(*work.mapping, error, refused_row_hint);
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
    const auto reason =
        fmt::format("unable to load row {} of the stream's message {} into '{}.{}': {}", number,
                    work.block.first_seq.value, work.mapping->table.schema, work.mapping->table.table, error.what());
    dead_letters_->park(change, reason, 0);
    PostgresProgress::note_parked(loader.table.connection(), snapshot_.progress, change);
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
