// What the processes of a replicator and of a worker have in common: settings that tie them to the process, the HTTP
// endpoint, SIGHUP, and sessions one after the other.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "cmd/cli/settings.h"
#include "cmd/http/endpoint.h"
#include "cmd/http/session_state.h"
#include "cmd/process.h"
#include "stream/trouble.h"

namespace pgsluice {

// What connections wait for long is logged, and shown to pgsluice status.
void report_waits(Settings& settings, const Log& log);

// Reports to the group go over connections beside the data's, which the parts of a process share.
void share_connections_beside(Settings& settings, const Process& process);

// Where the log level was changed in the configuration that SIGHUP has read.
void take_log_level(const Settings& settings, const Process& process);

// Whether the process answers over HTTP.
bool is_served(const Settings& settings, const Process& process);

// Null unless the process is served and this part has an endpoint of its own.
std::unique_ptr<Endpoint> serve(const Settings& settings, std::unique_ptr<View> view, const Process& process);

struct Sessions {
    std::function<void(const std::function<void()>& begun)> run;  // one; calls `begun` once it is running
    std::atomic<bool>& running;                                   // set while one is
    Trouble& trouble;                                             // what ended one
    SessionState& state;
    std::function<void()> will_start_again;  // called before an Error that the process answers with another start
};

// Until one ends by itself or the process is asked to stop. Throws what supervise() does.
void run_sessions(const Sessions& sessions, const RetryPolicy& policy, const Process& process);

}  // namespace pgsluice
