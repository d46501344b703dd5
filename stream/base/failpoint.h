// Named places where a crash test stops the program. Compiled in only with PGSLUICE_FAILPOINTS (test builds).
//
// PGSLUICE_FAILPOINT=name or name:N in the environment: the Nth time (default 1) the place is reached, the process
// kills itself with SIGKILL, so that nothing is flushed, closed or destroyed.
#pragma once

#ifdef PGSLUICE_FAILPOINTS
namespace pgsluice {
void reach_failpoint(const char* name) noexcept;
}
#define PGSLUICE_FAILPOINT(name) ::pgsluice::reach_failpoint(name)
#else
#define PGSLUICE_FAILPOINT(name) static_cast<void>(0)
#endif
