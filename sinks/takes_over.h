// What a sink does that keeps the state of all shares of the rows (`worker --share`) in one place, as a database does,
// when workers with other shares take over.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sinks/sink.h"

namespace pgsluice {

class TakesOver {
   public:
    virtual ~TakesOver() = default;

    // Called after open(). Where that worker is; from then on it cannot write any more, whatever it does. Nothing when
    // it never wrote here.
    virtual std::optional<SinkState> end_worker(const std::string& worker) = 0;
    // What that worker has noted of the tables (Sink::table_notes).
    virtual std::map<Oid, std::string> notes_of(const std::string& worker) = 0;
    // `next` is to begin where its handover says: it has these notes of the tables, it knows which of them `before`
    // have written, and nothing that it wrote in an earlier set of shares counts.
    virtual void succeed(const std::string& next, const std::vector<std::string>& before,
                         const std::map<Oid, std::string>& notes) = 0;
};

}  // namespace pgsluice
