// `pgsluice import`: the rows of a dump go through the rules into a sink, as a worker's snapshot does.
//
// The dump is read twice. The first time nothing is written: all of it must be understood, and the rules must fit its
// tables. The second time its rows are handed to the sink as one snapshot, so what an import that was interrupted left
// in a target is thrown away by the next one, as a worker's epochs are.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sinks/sink.h"
#include "stream/base/log.h"
#include "stream/change.h"
#include "worker/dump/reader.h"
#include "worker/import/options.h"

namespace pgsluice {

struct ImportEnds {
    std::function<std::unique_ptr<Sink>(std::stop_token)> make_sink;
    // What is known elsewhere of a table that the dump does not create, with these of its columns in this order;
    // nothing where nothing is. May be empty.
    std::function<std::optional<Relation>(const QualifiedName&, const std::vector<std::string>& columns)> find_table;
    // What the dump says of sequences, once its rows are there. May be empty.
    std::function<void(const std::vector<dump::SequenceValue>&)> set_sequences;
    std::function<void(const std::string&)> print;  // the report of a dry run
};

void run_import(const ImportOptions& options, const ImportEnds& ends, const Log& log, const std::stop_token& stop);

}  // namespace pgsluice
