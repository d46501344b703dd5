#include "worker/ddl_gate.h"

#include <fmt/format.h>

#include <utility>

#include "sql/error.h"

namespace pgsluice {

DdlGate::DdlGate(Broker& broker, Names names, bool executes, const Log& log)
    : broker_(broker), names_(std::move(names)), executes_(executes), log_(log) {}

bool DdlGate::lets_pass(const Change& change, StreamSeq message) {
    if (record_ && may_hold_ddl(*record_, message)) return true;
    record_ = find_ddl_record(broker_, names_);
    if (record_ ? may_hold_ddl(*record_, message) : !executes_) return true;
    if (record_) {
        log_(LogLevel::warning,
             fmt::format("ignoring a DDL message at {} in message {} of the stream: group '{}' does not track DDL, so "
                         "another program published it; check who may publish to the group's subjects",
                         to_string(change.position), message.value, names_.group));
        return false;
    }
    throw stop_error(
        fmt::format("unable to apply DDL at {} in message {} of the stream: group '{}' has no record that it tracks "
                    "DDL (KV key 'ddl')",
                    to_string(change.position), message.value, names_.group),
        "Restart the group's replicator, of this version or later: it writes the record. With --track-ddl the command "
        "is then applied, without it the command is ignored.");
}

}  // namespace pgsluice
