// What a sink does that can read a snapshot's rows from the source by itself, past the stream (format/direct_plan.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "stream/change.h"
#include "stream/format/direct_plan.h"
#include "stream/message.h"

namespace pgsluice {

// What rules make of lines of COPY text. One thread.
class RewritesLines {
   public:
    virtual ~RewritesLines() = default;
    // The row, with its newline, until the next call; empty where it is left out.
    virtual std::string_view of(std::string_view line) = 0;
    // Whether the line returned last is another than was given.
    [[nodiscard]] virtual bool rewrote() const = 0;
};

// A table of the begin marker, by its index there.
struct DirectTable {
    std::vector<std::string_view> columns;  // that are read
    RelationPtr target;                     // null: routed away, none of it is read
    // Makes one for each thread; empty: lines are loaded as they are.
    std::function<std::unique_ptr<RewritesLines>()> rules{};
};

// What of a page range was committed.
struct DirectRange {
    std::uint32_t table = 0;
    std::uint64_t pages = 0;
    std::uint64_t rows = 0;   // read from the source
    std::uint64_t bytes = 0;  // of them, as COPY text
    std::uint64_t rewritten = 0;
    std::uint64_t dropped = 0;
    bool before = false;  // by an earlier run, which counted it
};

class LoadsDirectly {
   public:
    virtual ~LoadsDirectly() = default;

    // Called before begin_snapshot(): whether its rows can be read, or all of them were loaded before a restart. False:
    // the source does not hold the snapshot any more. A stop Error where it is not this source's. `source` is whose
    // snapshot it is (database_id(); empty: the stream does not say).
    virtual bool open_source(const SnapshotBegin& begin, const DirectPlan& plan, const std::string& source) = 0;

    // After begin_snapshot(). `tell` is given what was committed, what earlier runs did first, and is called several
    // times a second from this thread; once it returns false, what is under way is given up. Returns whether all is
    // loaded and no crash takes it back.
    virtual bool load_directly(const std::vector<DirectTable>& tables,
                               const std::function<bool(const std::vector<DirectRange>&)>& tell) = 0;
};

}  // namespace pgsluice
