// `pgsluice check leaks`: takes values that rules hide from the source, and looks for them in the target, and in the
// group's stream. Says where they are, and how many; never what they are.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "cmd/exit_code.h"
#include "replicator/options.h"
#include "rules/ruleset.h"
#include "stream/base/log.h"

namespace pgsluice {

struct LeaksOptions {
    RulesOptions files;
    sql::ConnectOptions source;
    sql::ConnectOptions target;
    TableChoice choice{};
    std::size_t sample_rows = 2000;
    bool in_stream = false;  // and in what else the group keeps
    Names names;             // with in_stream
    BrokerOptions nats;
    bool json = false;
};

// exit_done: none was found; exit_stopped: some were. exit_fail, or an Error, where it could not look everywhere.
ExitCode check_leaks(const LeaksOptions& options, const std::function<void(const std::string&)>& print, const Log& log,
                     const std::stop_token& stop);

}  // namespace pgsluice
