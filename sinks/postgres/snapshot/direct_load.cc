#include "sinks/postgres/snapshot/direct_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "sql/range_copy.h"
#include "stream/base/failpoint.h"

namespace pgsluice {

namespace {

// What is handed to the target's COPY at a time.
constexpr std::size_t piece_bytes = 64 * 1024;
constexpr auto report_interval = std::chrono::milliseconds(200);

// One COPY into a table of the target; its errors are about that.
class Pour {
   public:
    Pour(TableLoader& loader, const TargetMapping& mapping)
        : loader_(loader),
          mapping_(mapping),
          staging_(loader.staging(mapping)),
          copy_(loader.copy_in(mapping, staging_)) {}

    void add(std::string_view line) {
        if (piece_.size() + line.size() > piece_bytes) write();
        piece_ += line;
    }
    void end() {
        write();
        copy_.end();
        loader_.merge(mapping_, staging_);
    }

   private:
    void write() {
        if (piece_.empty()) return;
        TableLoader::write(copy_, mapping_, piece_);
        piece_.clear();
    }

    TableLoader& loader_;
    const TargetMapping& mapping_;
    const std::string staging_;
    sql::CopyIn copy_;
    std::string piece_;
};

// `use` talks to the target only.
template <typename Use>
auto on_target(const TargetMapping& mapping, const Use& use) {
    try {
        return use();
    } catch (const SqlError& error) {
        throw refused_load(mapping, error,
                           "Change what refuses it on the target (the message names it), and start the worker again, "
                           "which continues.");
    }
}

}  // namespace

DirectLoad::DirectLoad(LoadedSnapshot snapshot, const DirectPlan& plan, std::vector<DirectTarget> targets,
                       const std::set<std::uint64_t>& loaded, SourceReaders readers)
    : snapshot_(std::move(snapshot)),
      plan_(plan),
      targets_(std::move(targets)),
      ranges_(left(loaded), static_cast<int>(readers.connections.size())),
      left_(numbers_.size()),
      readers_(std::move(readers)),
      stop_(readers_.stop) {
    for (sql::Connection& reader : readers_.connections) threads_.emplace_back([this, &reader] { run(reader); });
}

DirectLoad::~DirectLoad() {
    stop_.request_stop();
    threads_.clear();  // joins
}

std::vector<PageRange> DirectLoad::left(const std::set<std::uint64_t>& loaded) {
    const std::vector<PageRange> all = ranges_of(plan_);
    std::vector<PageRange> left;
    for (std::uint64_t number = 0; number < all.size(); ++number) {
        const PageRange& range = all[number];
        if (loaded.contains(number) || !targets_.at(range.table).mapping) continue;
        numbers_[{range.part, range.first_page}] = number;
        left.push_back(range);
    }
    return left;
}

std::vector<DirectRange> DirectLoad::take_committed() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop_.get_token(), report_interval, [this] { return failure_ || !committed_.empty(); });
    if (failure_) std::rethrow_exception(failure_);
    if (stop_.stop_requested()) throw Interrupted{};
    left_ -= committed_.size();
    return std::exchange(committed_, {});
}

void DirectLoad::run(sql::Connection& reader) noexcept {
    try {
        TableLoader loader(snapshot_, stop_.get_token());
        while (const auto range = ranges_.take(stop_.get_token())) {
            const DirectRange done = load(reader, loader, *range);
            ranges_.finished(*range);
            const std::lock_guard lock(mutex_);
            committed_.push_back(done);
            changed_.notify_all();
        }
    } catch (const Interrupted&) {  // whoever asked knows
    } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
        stop_.request_stop();
    }
    changed_.notify_all();
}

DirectRange DirectLoad::load(sql::Connection& reader, TableLoader& loader, const PageRange& range) {
    const DirectTarget& target = targets_[range.table];
    const DirectPart& part = plan_.parts[range.part];
    const TargetMapping& mapping = *target.mapping;
    const auto rules = target.table.rules ? target.table.rules() : nullptr;
    DirectRange done{range.table, range.pages};
    on_target(mapping, [&] { loader.begin(mapping); });
    {
        auto pour = on_target(mapping, [&] { return std::make_unique<Pour>(loader, mapping); });
        auto rows = reader.copy_out(sql::copy_range_statement(target.table.columns, part.schema, part.name, range),
                                    fmt::format("read '{}.{}' from the source", part.schema, part.name));
        while (const auto row = rows.next()) {
            if (stop_.stop_requested()) throw Interrupted{};
            ++done.rows;
            done.bytes += row->size();
            const std::string_view line = rules ? rules->of(*row) : *row;
            if (rules && line.empty()) ++done.dropped;
            if (rules && rules->rewrote()) ++done.rewritten;
            on_target(mapping, [&] { pour->add(line); });
        }
        on_target(mapping, [&] { pour->end(); });
    }
    PGSLUICE_FAILPOINT("direct-range-read");
    const std::uint64_t number = LoadedRange::first_number + numbers_.at({range.part, range.first_page});
    on_target(mapping, [&] { loader.commit({number, done.rows, done.bytes}); });
    return done;
}

}  // namespace pgsluice
