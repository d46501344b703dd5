// libpq's pipeline mode (manual, "Pipeline Mode"): many statements, one round trip.
//
// Statements are queued, sync() sends them and reads every answer. After the first failure
// the server skips everything up to the sync, so a transaction whose COMMIT is in the same pipeline commits only if all
// statements before it succeeded.
// A Pipeline holds its connection in pipeline mode; nothing else (and no COPY) may use it during that time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/connection.h"

namespace pgsluice::sql {

// A parameter as it goes over the wire. Text must end in a NUL at data[size]; binary needs none.
struct WireParam {
    const char* data = nullptr;  // null: NULL
    int size = 0;
    bool binary = false;
};

struct Reply {
    enum class Kind : std::uint8_t { done, failed, skipped } kind = Kind::done;
    std::int64_t affected = 0;  // rows an INSERT, UPDATE or DELETE touched
    std::int64_t value = 0;     // first column of the first row, if it is an integer
};

class Pipeline {
   public:
    explicit Pipeline(Connection& connection);
    ~Pipeline();
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    // Each returns the index of its reply. Arguments are copied into libpq's buffer at once.
    std::size_t prepare(const std::string& name, const std::string& statement);
    std::size_t execute(const std::string& name, std::span<const WireParam> params);
    std::size_t run(const std::string& statement);

    // Sends a sync and reads all answers since the last one. The replies are valid until the next statement is queued.
    std::span<const Reply> sync();
    // The error of the failed reply of the last sync, if there was one.
    [[nodiscard]] const std::optional<SqlError>& failure() const noexcept { return failure_; }
    [[nodiscard]] std::size_t failed_index() const noexcept { return failed_index_; }
    [[nodiscard]] std::size_t queued() const noexcept { return queued_; }

   private:
    std::size_t sent(int accepted, std::size_t bytes);
    void read_reply(Reply& reply, std::size_t index);

    Connection& connection_;
    std::vector<Reply> replies_;
    std::vector<const char*> values_;  // reused from statement to statement
    std::vector<int> lengths_;
    std::vector<int> formats_;
    std::optional<SqlError> failure_;
    std::size_t failed_index_ = 0;
    std::size_t queued_ = 0;
    std::size_t unsent_bytes_ = 0;
};

}  // namespace pgsluice::sql
