#include "replicator/bootstrap/steps.h"

#include <fmt/format.h>

#include <stdexcept>

#include "sql/error.h"

namespace pgsluice {

namespace {

bool has_snapshot(const BootstrapRecord& record) {
    return record.state == BootstrapState::waiting && record.point.valid();
}

std::string state_of(const std::optional<BootstrapRecord>& record) {
    if (!record || record->state == BootstrapState::superseded) return "not being bootstrapped";
    if (record->state == BootstrapState::unknown)
        return fmt::format("beginning with a dump as of {}, and its KV bucket has lost how far that is",
                           to_string(record->point));
    if (record->state != BootstrapState::waiting) return std::string(to_string(record->state));
    return record->point.valid() ? fmt::format("waiting for a dump as of {}", to_string(record->point))
                                 : "waiting for its slot and snapshot";
}

std::string prepare_again(const Names& names) {
    return fmt::format("Run the replicator of group '{}' with --bootstrap prepare.", names.group);
}

Error refused_prepare(const BootstrapFacts& facts) {
    const std::string state = facts.record ? state_of(facts.record) : "replicating already";
    const bool dump_may_be_there = facts.record && facts.record->state != BootstrapState::streaming;
    return stop_error(
        fmt::format("unable to prepare a bootstrap: group '{}' is {}, and prepare is for a group that has not begun",
                    facts.names.group, state),
        fmt::format("To start over with a new slot and a new dump, run it once with --bootstrap prepare "
                    "--resnapshot.{}",
                    dump_may_be_there ? " If the targets hold the dump, complete it with --bootstrap complete." : ""));
}

Error lost_snapshot(const BootstrapFacts& facts) {
    return stop_error(
        fmt::format("unable to continue group '{}': it is {}, and that snapshot was lost with the replicator that held "
                    "it, so no dump can begin with it any more",
                    facts.names.group, state_of(facts.record)),
        "Start over with --bootstrap prepare --resnapshot, which makes a new slot and snapshot, and take a new dump. "
        "Only if a pg_dump that had begun before has ended without an error, keep that one: run the replicator once "
        "with --bootstrap accumulate, then again without --bootstrap.");
}

Error lost_state(const BootstrapFacts& facts) {
    return stop_error(
        fmt::format("unable to continue group '{}': it is {}", facts.names.group, state_of(facts.record)),
        "If the targets hold the dump, or a worker has applied changes since, run the replicator once with --bootstrap "
        "complete; if pg_dump has ended without an error and the dump is still to be restored, with --bootstrap "
        "accumulate. Then start it again without --bootstrap. Otherwise start over with --bootstrap prepare "
        "--resnapshot.");
}

BootstrapStart decide_prepare(const BootstrapFacts& facts) {
    const bool nothing_yet = !facts.record && !facts.begun;
    const bool no_slot_yet =
        facts.record && facts.record->state == BootstrapState::waiting && !has_snapshot(*facts.record);
    if (nothing_yet || no_slot_yet) return BootstrapStart::prepare;
    throw refused_prepare(facts);
}

BootstrapStart decide_continue(const BootstrapFacts& facts) {
    if (!facts.record || facts.record->state == BootstrapState::streaming) return BootstrapStart::none;
    if (facts.record->state == BootstrapState::accumulating) return BootstrapStart::under_way;
    if (facts.record->state == BootstrapState::unknown) throw lost_state(facts);
    if (has_snapshot(*facts.record)) throw lost_snapshot(facts);
    throw stop_error(fmt::format("unable to continue group '{}': it is {}, which was interrupted", facts.names.group,
                                 state_of(facts.record)),
                     prepare_again(facts.names));
}

}  // namespace

BootstrapStart decide_bootstrap(const BootstrapOptions& options, bool resnapshot, const BootstrapFacts& facts) {
    const bool prepares = options.verb == BootstrapVerb::prepare;
    if (resnapshot) return prepares ? BootstrapStart::prepare : BootstrapStart::none;
    if (facts.held) return BootstrapStart::under_way;
    return prepares ? decide_prepare(facts) : decide_continue(facts);
}

BootstrapState decide_step(BootstrapVerb verb, const Names& names, const std::optional<BootstrapRecord>& record) {
    const bool accumulate = verb == BootstrapVerb::accumulate;
    const bool waits = record && (has_snapshot(*record) || record->state == BootstrapState::unknown);
    if (accumulate && waits) return BootstrapState::accumulating;
    if (!accumulate && (waits || (record && record->state == BootstrapState::accumulating)))
        return BootstrapState::streaming;
    const bool none = !record || record->state == BootstrapState::superseded;
    const std::string hint = none ? prepare_again(names)
                             : record->state == BootstrapState::waiting
                                 ? "Wait until the replicator prints the command that takes the dump; if it is gone, "
                                   "start it again with --bootstrap prepare."
                             : record->state == BootstrapState::accumulating
                                 ? "Once the targets hold the dump: --bootstrap complete."
                                 : "Nothing is left to do: workers apply changes.";
    throw stop_error(
        accumulate ? fmt::format(
                         "unable to accumulate: group '{}' is {}, and accumulate is for one that is waiting for a dump",
                         names.group, state_of(record))
                   : fmt::format("unable to complete the bootstrap: group '{}' is {}, and complete is for one that is "
                                 "accumulating, or waiting for a dump",
                                 names.group, state_of(record)),
        hint);
}

}  // namespace pgsluice
