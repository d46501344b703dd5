// What workers with shares of the rows hand on, as lines.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/support/pipeline.h"

namespace pgsluice::test {

inline void must_end(Process& process) { CHECK_MESSAGE(process.wait(std::chrono::seconds(60)) == 0, process.err()); }

struct Line {
    std::string type;
    std::string position;  // with its type, for an update of the key has two
    std::string key;
    std::int64_t n = 0;  // grows with every change of a key
};

inline std::string after(const std::string& line, const std::string& what, const char* end) {
    const std::size_t at = line.find(what);
    if (at == std::string::npos) return "";
    const std::size_t from = at + what.size();
    return line.substr(from, line.find_first_of(end, from) - from);
}

inline Line read(const std::string& line) {
    Line out;
    out.type = after(line, R"("Type":")", "\"");
    out.position =
        after(line, R"("LSN":")", "\"") + ":" + after(line, R"("Ordinal":)", ",}") + after(line, R"("Snapshot":)", ",");
    const std::string tuple =
        line.substr(std::min(line.size(), line.find(out.type == "DELETE" ? "OldTuple" : "NewTuple")));
    out.key = after(tuple, R"("id":)", ",}");
    const std::string n = after(tuple, R"("n":)", ",}");
    out.n = n.empty() ? 0 : std::stoll(n);
    return out;
}

// After a change of the table `t`, so that a worker that is up to date sees that it is.
inline std::string next_lsn(Pipeline& pipeline) {
    pipeline.on_source("INSERT INTO t SELECT coalesce(max(id), 0) + 1 FROM t");
    return pipeline.source_scalar("SELECT pg_current_wal_lsn()");
}

inline std::string current_lsn(Pipeline& pipeline) { return pipeline.source_scalar("SELECT pg_current_wal_lsn()"); }

}  // namespace pgsluice::test
