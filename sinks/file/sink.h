// Lines of JSON in files that are handed over when they are finished.
//
// Guarantee: every change exactly once and in commit order over the directory's finished files, whatever dies. A file
// holds whole transactions. It is handed over (loses its `.part`) by rotation, and never changes after that; rows of
// a snapshot are handed over all at once when it has ended, so that an attempt that failed is never seen.
//
// How: the file's data is synced, then `pgsluice.state` (sinks/file/two_copy_file.h) says "up to here, this many
// bytes". What open() finds past that length is cut off, and files begun after it are removed; the worker reads those
// changes again. One worker per directory: the state file's flock.
#pragma once

#include <memory>
#include <stop_token>

#include "sinks/options.h"
#include "sinks/sink.h"
#include "stream/base/log.h"

namespace pgsluice {

std::unique_ptr<Sink> make_file_sink(const FileSinkOptions& options, Log log, std::stop_token stop);

}  // namespace pgsluice
