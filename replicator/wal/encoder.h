// Turns pgoutput messages into the blocks of the group's stream: resolves relations, counts ordinals, skips what the
// stream already holds. Knows no socket and no time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "replicator/resume_point.h"
#include "replicator/wal/pgoutput.h"
#include "rules/compiled_rules.h"
#include "stream/base/arena.h"
#include "stream/change.h"
#include "stream/format/block_writer.h"
#include "stream/last_change.h"
#include "stream/message.h"

namespace pgsluice {

struct ReplicatorMetrics;
struct TableTally;

enum class TableVerdict : std::uint8_t {
    publish,
    leave_out,    // its changes are counted and not published
    end_session,  // nothing more is taken: at_end()
};

// What pgoutput does not say about a table's columns (replicator/source/column_types.h), and whether its changes are to
// be published. All may be empty.
struct TypeLookup {
    // Fills in type_name, base_oid, element_oid and unique; called for each definition of a table that pgoutput sends,
    // with the LSN at which its transaction was committed, and its number.
    std::function<void(Relation&, Lsn committed, std::uint32_t xid)> complete;
    // Called for each completed definition before the first change that is published, with its position: the rules
    // that rows pass. Empty: they are published as they come.
    std::function<std::shared_ptr<const rules::CompiledRules>(const RelationPtr&, Position)> rules = {};
    // Called for each type that pgoutput describes again: it may have been changed.
    std::function<void(Oid)> forget;
    // Called for each completed definition, with the LSN that its transaction was committed at.
    std::function<TableVerdict(const Relation&, Lsn)> verdict = {};
    // Called for each that is published: changes committed before that are left out.
    std::function<Lsn(Oid)> published_from = {};
    // Called for each that is published: Relation::came_as.
    std::function<std::vector<QualifiedName>(const Relation&)> came_as = {};
    // What to publish of a transactional message whose prefix begins with ddl_message_prefix: its content, with just
    // that prefix; nothing when it is no DDL of the group (ddl_events.h). Empty: no DDL.
    std::function<std::optional<std::string>(std::uint32_t xid, const pgoutput::LogicalMessage&)> ddl_content = {};
    // Called for each DDL message that is published.
    std::function<void()> ddl = {};
};

// A finished block: what its message's headers and body are.
struct EncodedBlock {
    MessageMeta meta;
    std::string_view body;  // valid until the encoder's next call
};

class WalEncoder {
   public:
    WalEncoder(const ResumePoint& resume, TypeLookup types);

    // Transactions with a replication origin, which were made elsewhere, leave no trace; but for one that the stream
    // holds the beginning of.
    void drop_marked() noexcept { drops_marked_ = true; }
    // What is committed at or after `until` is not taken: then at_end() holds, and nothing more may be. Before that,
    // changes of the tables in `left_out` (as pgoutput names them) are counted and not published.
    void end_at(Lsn until, std::set<Oid> left_out);
    [[nodiscard]] bool at_end() const noexcept { return at_end_; }
    // Whether that is for TableVerdict::end_session.
    [[nodiscard]] bool session_ends() const noexcept { return session_ends_; }

    // Of heartbeats (stream/heartbeat.h), publishes only those of this group.
    void beat_as(std::string group) { group_ = std::move(group); }

    // Where to count what is published. Must outlive this object.
    void count_in(ReplicatorMetrics& metrics) noexcept { metrics_ = &metrics; }

    // Takes one pgoutput message. Its bytes may die afterwards.
    void take(std::string_view message);

    // Bytes in the block so far; 0 when there is nothing to publish.
    [[nodiscard]] std::size_t size() const noexcept { return writer_.size(); }
    [[nodiscard]] bool in_transaction() const noexcept { return in_transaction_; }
    // Of the transaction begun last, by the source's clock (microseconds since 2000-01-01 UTC); 0 before the first.
    [[nodiscard]] std::int64_t commit_time_us() const noexcept { return transaction_.commit_time_us; }
    // The stream's position and safe_flush_lsn once all that was taken is published. `safe_flush_lsn` also grows by
    // transactions that left no trace.
    [[nodiscard]] const ResumePoint& reached() const noexcept { return reached_; }
    // Changes published so far, over all blocks.
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }
    // Of the tables that the log has described so far.
    [[nodiscard]] LastChanges last_changes() const;
    // The walsender has got this far and sent all before it. Ignored inside a transaction.
    void skip_to(Lsn lsn) noexcept;
    // Closes the block. An open transaction is continued in the next one.
    EncodedBlock finish();

   private:
    void on(const pgoutput::Begin& begin);
    void check_comes_again(const pgoutput::Begin& begin);
    void on(const pgoutput::Commit& commit);
    void on(const pgoutput::Origin& origin);
    void on(const pgoutput::RelationMessage& relation);
    void on(const pgoutput::Type& type);
    void on(const pgoutput::Insert& insert);
    void on(const pgoutput::Update& update);
    void on(const pgoutput::Delete& del);
    void on(const pgoutput::Truncate& truncate);
    void on(const pgoutput::LogicalMessage& message);

    [[nodiscard]] bool is_ours(const pgoutput::LogicalMessage& message) const noexcept;
    // Makes of it what is published; false when it is not for us.
    bool take_ddl(pgoutput::LogicalMessage& message);
    bool judge(const Relation& relation);
    void forget_published();
    // Whether the stream holds changes of the transaction already.
    [[nodiscard]] bool is_continued() const noexcept;
    // Counts the transaction's next change; false when the stream already holds it.
    bool next_ordinal();
    bool next_ordinal_of(Oid table) { return next_ordinal() && !is_left_out(table); }
    [[nodiscard]] bool is_left_out(Oid table) const {
        return left_out_.contains(table) || refused_.contains(table) || published_later_.contains(table);
    }
    // Whether the stream does not hold this non-transactional message yet.
    [[nodiscard]] bool is_new(const pgoutput::LogicalMessage& message) const noexcept;
    // The relation as last described; checks that the row fits it.
    const Relation& relation(Oid oid, Row row);
    [[nodiscard]] LastChange now() const noexcept { return {transaction_.commit_lsn, transaction_.commit_time_us}; }
    struct Known;
    const RelationPtr& published(Known& known);
    // A row, as the rules leave it.
    void write_row(Change& change);
    bool pass_rules(Change& change);
    void write(Change& change);
    void count(const Change& change, std::size_t bytes) noexcept;

    TypeLookup types_;
    pgoutput::Decoder decoder_;
    BlockWriter writer_;
    struct Known {
        RelationPtr relation;
        RelationPtr published;                              // as the rules leave it; null: not known yet
        std::shared_ptr<const rules::CompiledRules> rules;  // null when that is `relation`, or not known yet
        LastChange last;                                    // that is published
        TableTally* tally = nullptr;
    };
    std::unordered_map<Oid, Known> relations_;
    Known* last_ = nullptr;               // the one used last
    std::vector<RelationPtr> replaced_;   // definitions that the block may still name by their address
    std::vector<RelationPtr> truncated_;  // reused
    ResumePoint resume_;
    ResumePoint reached_;
    Transaction transaction_;
    std::uint64_t ordinal_ = 0;
    std::uint64_t changes_ = 0;
    ReplicatorMetrics* metrics_ = nullptr;
    std::string group_;
    bool in_transaction_ = false;
    bool skipping_ = false;  // the whole transaction
    bool beats_ = false;     // the transaction is a heartbeat, of whatever group
    bool drops_marked_ = false;
    std::string made_in_;  // of the transaction
    std::string ddl_;      // the content of the message that is being written
    Arena arena_;          // of the row that is being written
    std::optional<Lsn> until_;
    std::set<Oid> left_out_;
    std::set<Oid> refused_;               // by the verdict
    std::map<Oid, Lsn> published_later_;  // what is committed from there on
    bool at_end_ = false;
    bool session_ends_ = false;
};

}  // namespace pgsluice
