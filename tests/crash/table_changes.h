// Random changes of the set of tables around a running group, and of what the group selects; restarts and kills.
//
//   t1 t2 t3   named one by one, or not; swapped, made again, published by hand
//   x1 x2      taken in by a pattern; made, dropped, swapped with t1
//   p1 p2 p3   partitions of `root`, or tables of their own; every third seed delivers them as `root`
//   m, c1 c2   a parent and what inherits from it, or not; c2 has no key
//
// The target has each as an ordinary table.
#pragma once

#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/pipeline.h"

namespace pgsluice::test {

class TableChanges {
   public:
    TableChanges(Pipeline& pipeline, unsigned seed);

    static std::vector<std::string> all();
    // With the group's whole selection.
    void start();
    // Does one thing, and says what.
    std::string step();
    // Starts again what a kill or a failpoint has ended. Fails the test when something ended by itself.
    void revive();
    // Where the log says that rows are not where they should be, what it says to type is typed: what left `root` keeps
    // its rows there until `root` is copied again, and a renamed table has them under its old name.
    void make_comparable();
    // No failpoint is reached from now on.
    void disarm();
    // Ends both, where a failpoint has not done so before.
    void stop();
    // The messages of all processes so far.
    [[nodiscard]] std::string messages();
    // The tables whose rows the target must have: as SQL.
    [[nodiscard]] std::vector<std::string> in_group() const;

   private:
    using Args = std::vector<std::string>;

    int pick(int choices) { return static_cast<int>(random_() % static_cast<unsigned>(choices)); }
    std::string number(int choices) { return std::to_string(pick(choices) + 1); }
    [[nodiscard]] Args arguments() const;
    void heed_undecodable();
    // Repeated when a writer is in the way.
    void on_source(const std::string& statements);
    // Writers run on a while.
    void wait_a_little();
    // A start refuses a named table that is missing; a replicator that runs does not.
    void await_stream();
    void kill_replicator();
    void kill_worker();
    void start_replicator(const std::string& failpoint = {});
    void start_worker(const std::string& failpoint = {});

    std::string made_again(const std::string& table);
    std::string made_or_dropped(const std::string& table);
    std::string swapped(const std::string& one, const std::string& other);
    std::string renamed_and_back(const std::string& table);
    std::string attached_or_detached(int partition);
    std::string partition_made_again(int partition);
    std::string inherits_or_not(const std::string& table);
    std::string selects_others();
    std::string altered_by_hand();
    std::string copied_again();
    std::string copy_again(const std::string& table);
    bool heed_stop_at_renamed();
    void heed_renames();
    std::string replicator_restarted();
    std::string worker_restarted();
    std::string dies_somewhere();

    Pipeline& pipeline_;
    std::mt19937 random_;
    std::string past_;  // messages of processes that have ended
    std::set<std::string> selected_{"t1", "t2"};
    std::set<std::string> made_;  // of x1, x2
    std::set<std::string> attached_;
    std::set<std::string> inheriting_;
    std::string renamed_;  // the last table that was called y for a while
    const bool via_root_;
    bool replicator_armed_ = false;
    bool worker_armed_ = false;
    bool root_keeps_rows_ = false;  // of a table that was detached or dropped
};

}  // namespace pgsluice::test
