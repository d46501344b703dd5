#include "tests/support/wal_session.h"

#include <algorithm>
#include <exception>

#include "replicator/source/column_types.h"
#include "sql/replication.h"
#include "stream/format/block_reader.h"
#include "tests/support/process.h"

namespace pgsluice::test {

namespace {

std::string row_text(Row row) {
    std::string out;
    for (const Value& value : row) {
        out += ' ';
        if (value.is_null()) {
            out += "NULL";
        } else if (value.is_unchanged()) {
            out += "unchanged";
        } else {
            out.append("'").append(value.text()).append("'");
        }
    }
    return out;
}

std::string change_text(const Change& change) {
    static const char* const ops[] = {"insert", "update", "delete", "truncate", "message"};
    std::string out = ops[static_cast<int>(change.op)];
    if (change.op == Op::message) return out.append(" ").append(change.prefix).append(" ").append(change.content);
    if (change.op == Op::truncate) {
        for (const auto& relation : change.truncated) out.append(" ").append(relation->table);
        return out;
    }
    out.append(" ").append(change.relation->table);
    if (change.old_kind == OldRow::key) out.append(" [key").append(row_text(change.old_row)).append("]");
    if (change.old_kind == OldRow::full) out.append(" [old").append(row_text(change.old_row)).append("]");
    return out + row_text(change.new_row);
}

// Acknowledges at once; has no room while the stream is full.
class MemoryPublisher final : public Publisher {
   public:
    explicit MemoryPublisher(MemoryStream& stream) : stream_(stream) {}

    bool has_room() override { return stream_.changes() < stream_.room_for; }
    bool wait_for_room(int timeout_ms) override {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
        while (!has_room() && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return has_room();
    }
    void publish(const MessageMeta& meta, std::string_view body, const CopyHeader*) override {
        stream_.store(meta, body);
        confirmed_ = meta.safe_flush_lsn;
    }
    std::optional<Lsn> confirmed() override { return confirmed_; }
    std::uint64_t in_flight() override { return 0; }
    bool await_acks(int) override { return true; }

   private:
    MemoryStream& stream_;
    std::optional<Lsn> confirmed_;
};

}  // namespace

void MemoryStream::store(const MessageMeta& meta, std::string_view body) {
    const std::lock_guard lock(mutex_);
    ++messages_;
    largest_ = std::max(largest_, body.size());
    last_ = meta;
    if (meta.kind != MessageKind::changes) return;
    BlockReader reader;
    const auto block = reader.read(body);
    for (const auto& item : block->items) {
        const bool commit = item.kind == Block::Item::Kind::commit;
        if (!commit) {
            const Change& change = block->changes[item.index];
            ordered_ = ordered_ && change.position > position_;
            position_ = change.position;
            ++changes_;
        }
        if (keep_lines) lines_.push_back(commit ? "commit" : change_text(block->changes[item.index]));
    }
}

ResumePoint MemoryStream::last() const {
    const std::lock_guard lock(mutex_);
    return last_ ? resume_point(*last_) : ResumePoint{{}, start};
}

std::vector<std::string> MemoryStream::lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
}

std::size_t MemoryStream::count(std::string_view prefix) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) { return line.starts_with(prefix); }));
}

std::uint64_t MemoryStream::messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
}

std::uint64_t MemoryStream::changes() const {
    const std::lock_guard lock(mutex_);
    return changes_;
}

std::size_t MemoryStream::largest() const {
    const std::lock_guard lock(mutex_);
    return largest_;
}

bool MemoryStream::ordered() const {
    const std::lock_guard lock(mutex_);
    return ordered_;
}

WalSession::WalSession(PostgresServer& server, const std::string& setup)
    : server_(server), database_(server.create_database()), slot_("s_" + database_) {
    sql(setup);
    sql("CREATE PUBLICATION p FOR ALL TABLES");
    stream.start =
        *parse_lsn(scalar("SELECT lsn FROM pg_create_logical_replication_slot('" + slot_ + "', 'pgoutput')"));
}

WalSession::~WalSession() {
    stop();
    server_.drop_slot(database_, slot_);
}

void WalSession::start() {
    error_.clear();
    running_ = true;
    thread_ = std::jthread([this](const std::stop_token& stop) {
        try {
            run(stop);
        } catch (const std::exception& error) {
            error_ = error.what();
        }
        running_ = false;
    });
}

void WalSession::run(const std::stop_token& stop) {
    auto connect = server_.connect(database_);
    sql::Connection catalog(connect);
    ColumnTypes types(catalog);
    if (!start_settings.empty()) connect.settings.emplace_back("options", start_settings);
    sql::ReplicationConnection connection(connect);
    const auto timeout = connection.connection().exec("SHOW wal_sender_timeout").text(0, 0);
    connection.start_replication(slot_, "p");
    ReplicationWalSource source(std::move(connection),
                                timeout == "4s" ? std::chrono::seconds(4) : std::chrono::seconds(60));
    MemoryPublisher publisher(stream);
    WalStreamHooks hooks;
    hooks.types.complete = [&](Relation& relation, Lsn committed, std::uint32_t xid) {
        types.fill_from_log(relation, committed, xid);
    };
    hooks.types.forget = [&](Oid oid) { types.forget(oid); };
    stream_wal(source, publisher, stream.last(), options, hooks, stop);
}

std::string WalSession::stop() {
    thread_.request_stop();
    return join();
}

std::string WalSession::join() {
    if (!thread_.joinable()) return error_;
    if (!eventually("the session ends", [&] { return !running_; })) thread_.request_stop();
    thread_.join();
    return error_;
}

bool WalSession::caught_up() {
    const auto target = *parse_lsn(scalar("SELECT pg_current_wal_lsn()"));
    return eventually("the stream reaches " + to_string(target),
                      [&] { return stream.last().safe_flush_lsn >= target; });
}

Lsn WalSession::confirmed() {
    return *parse_lsn(scalar("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '" + slot_ + "'"));
}

}  // namespace pgsluice::test
