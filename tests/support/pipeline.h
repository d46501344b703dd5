// The real binary from end to end: a source and a target database, one group, replicator and worker as processes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/nats_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

namespace pgsluice::test {

struct PipelineServers {
    PostgresServer& source;
    PostgresServer& target;
    NatsServer& nats;
};

// Where the processes connect to, when it is not the servers themselves but proxies before them. 0: the server's own.
struct PipelinePorts {
    int replicator_to_source = 0;
    int replicator_to_nats = 0;
    int workers_to_nats = 0;
    int worker_to_target = 0;
};

// The servers that a process's tests share.
PipelineServers shared_servers();

// Waits until the process has said that on stderr; shows what it said when it does not.
bool says(Process& process, const std::string& part);
// CHECKs that it ended with exit code 0; shows what it said when it did not.
void must_succeed(const Finished& finished);

// Where two lists of rows begin to differ, for a message.
std::string first_difference(const std::vector<std::string>& expected, const std::vector<std::string>& found);

class Pipeline {
   public:
    // Makes both databases, with a table `settled` that settle() uses.
    explicit Pipeline(PipelineServers servers = shared_servers(), const std::string& encoding = "UTF8",
                      const std::string& target_encoding = "UTF8");

    // From one database to another that other pipelines use as well.
    struct Between {
        std::string source_db;
        std::string target_db;
    };
    Pipeline(PipelineServers servers, Between databases);

    // From now on processes connect through these ports.
    void go_through(const PipelinePorts& ports) { ports_ = ports; }
    // From now on part of every command line.
    void always(std::vector<std::string> replicator_more, std::vector<std::string> worker_more);
    // Other commands, with the URLs and flags of a NATS role (hardening.h).
    [[nodiscard]] std::vector<std::string> command_argv(const std::string& role, std::vector<std::string> words) const;
    // The databases as the processes connect to them.
    [[nodiscard]] std::string source_url() const;
    [[nodiscard]] std::string target_url() const;
    // The command lines, for tests that change them.
    [[nodiscard]] std::vector<std::string> replicator_argv(std::vector<std::string> more) const;
    [[nodiscard]] std::vector<std::string> worker_argv(const std::string& sink, std::vector<std::string> more) const;

    void start_replicator(std::vector<std::string> more = {"--copy-and-stream"},
                          std::map<std::string, std::string> environment = {});
    // worker postgres
    void start_worker(std::vector<std::string> more = {}, std::map<std::string, std::string> environment = {});
    void start(std::vector<std::string> replicator_more = {"--copy-and-stream"});
    // SIGTERM to both, or one; the exit code must be 0 within the limit. A worker drains for five seconds.
    void stop_replicator(std::chrono::seconds limit = std::chrono::seconds(20));
    void stop_worker(std::chrono::seconds limit = std::chrono::seconds(20));
    void stop();

    [[nodiscard]] Process& replicator() { return *replicator_; }
    [[nodiscard]] Process& worker() { return *worker_; }
    // SIGKILL, and gone when this returns.
    void kill_replicator() { replicator_.reset(); }
    void kill_worker() { worker_.reset(); }
    // Waits until a failpoint or a SIGKILL has ended it; fails the test when something else has.
    static void must_die(Process& process);
    [[nodiscard]] bool has_replicator() const { return replicator_.has_value(); }
    [[nodiscard]] bool has_worker() const { return worker_.has_value(); }
    [[nodiscard]] const std::string& group() const { return group_; }
    [[nodiscard]] const std::string& source_db() const { return source_db_; }
    [[nodiscard]] const std::string& target_db() const { return target_db_; }

    void on_both(const std::string& statements);
    void on_source(const std::string& statements);
    void on_target(const std::string& statements);
    std::string source_scalar(const std::string& query);
    std::string target_scalar(const std::string& query);

    // Whether the replicator reads the source's slot; waits until it does, and fails the test where it has ended.
    [[nodiscard]] bool streams();
    void await_stream();
    // Writes a mark on the source and waits until the target has it: everything committed before has then arrived.
    // Fails the test at once, with its messages, when a process has ended.
    // `meanwhile` is called again and again.
    void settle(std::chrono::seconds limit = std::chrono::seconds(60), const std::function<void()>& meanwhile = {});
    // The number that the last settle() wrote into `settled`.
    [[nodiscard]] int last_mark() const { return marks_; }
    // The table's rows as text, sorted; `table` is SQL, so quote it where needed.
    std::vector<std::string> source_rows(const std::string& table);
    std::vector<std::string> target_rows(const std::string& table);
    // Count and checksum of a table's rows, for large ones.
    std::string source_sum(const std::string& table);
    std::string target_sum(const std::string& table);
    // settle(), then compares (CHECKs) the tables' contents.
    void check_equal(const std::vector<std::string>& tables);
    // What many tests end with: settle(), no more of `writers`, check_equal(), stop().
    template <typename Writers>
    void end(Writers& writers, const std::vector<std::string>& tables) {
        settle();
        writers.stop();
        check_equal(tables);
        stop();
    }

   private:
    void prepare();
    [[nodiscard]] std::vector<std::string> nats_flags(const std::string& role, int port) const;
    void must_run(const std::string& name, std::optional<Process>& process);

    PipelineServers servers_;
    std::string group_;
    std::string source_db_;
    std::string target_db_;
    PipelinePorts ports_;
    std::vector<std::string> replicator_always_;
    std::vector<std::string> worker_always_;
    int marks_ = 0;
    std::optional<Process> replicator_;
    std::optional<Process> worker_;
};

}  // namespace pgsluice::test
