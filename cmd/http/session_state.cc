#include "cmd/http/session_state.h"

#include <utility>

#include "sql/error.h"

namespace pgsluice {

namespace {

struct NotRunning {
    SessionState& state;
    ~NotRunning() { state.running.set(0); }
};

}  // namespace

RunSession noted_in(SessionState& state, RunSession session) {
    return [&state, run = std::move(session)](const std::function<void()>& running) {
        const NotRunning at_end{state};
        try {
            run([&] {
                state.running.set(1);
                state.error.set(std::nullopt);
                running();
            });
        } catch (const Error& error) {
            state.retries.add();
            if (error.action() == Action::retry && dynamic_cast<const SqlError*>(&error) != nullptr)
                state.database_lost.add();
            state.error.set(error.what());
            throw;
        }
    };
}

}  // namespace pgsluice
