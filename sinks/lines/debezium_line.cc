#include "sinks/lines/debezium_line.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <iterator>
#include <optional>
#include <unordered_map>

#include "sinks/lines/json_columns.h"
#include "sinks/lines/rfc3339.h"
#include "stream/format/json_string.h"
#include "stream/per_relation.h"

namespace pgsluice {

namespace {

void append_base64(std::string& out, std::string_view bytes) {
    const std::size_t at = out.size();
    out.resize(at + (bytes.size() + 2) / 3 * 4 + 1);  // and the NUL it writes
    const int written =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + at),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(at + static_cast<std::size_t>(written));
}

// How many events of one table its transaction has had.
struct TableOrder {
    Lsn commit;
    std::uint64_t events = 0;
};

struct TableEnvelope {
    std::string names;  // of the source block: `"schema":"s","table":"t"}`
    JsonColumns row;
    bool splits_key_changes;
    TableOrder* order = nullptr;  // shared by all versions of the table

    explicit TableEnvelope(const Relation& relation)
        : row(relation), splits_key_changes(relation.identity != ReplicaIdentity::full) {
        names = R"("schema":)";
        append_json_string(names, relation.schema);
        names += R"(,"table":)";
        append_json_string(names, relation.table);
        names += '}';
    }
};

class DebeziumEncoder final : public LineEncoder {
   public:
    DebeziumEncoder(const std::string& name, std::string share) : share_(std::move(share)) {
        head_ = R"(","source":{"version":")" PGSLUICE_VERSION R"(","connector":"postgresql","name":)";
        append_json_string(head_, name);
        set_time(now_unix_us());
    }

    void set_database(std::string_view name) override {
        database_.clear();
        append_json_string(database_, name);
        rendered_for_.reset();
    }

    void set_time(std::int64_t unix_us) override {
        now_us_ = unix_us;
        rendered_for_.reset();
    }

    std::size_t append(std::string& out, const Change& change) override {
        switch (change.op) {
            case Op::message:
                append_message(out, change, change.prefix, change.content);
                return 1;
            case Op::truncate:
                for (const RelationPtr& table : change.truncated) append_row(out, change, 't', envelope_of(*table));
                return change.truncated.size();
            case Op::update:
                return append_update(out, change, envelope_of(*change.relation));
            case Op::insert:
                append_row(out, change, change.snapshot ? 'r' : 'c', envelope_of(*change.relation));
                return 1;
            case Op::del:
                append_row(out, change, 'd', envelope_of(*change.relation));
                return 1;
        }
        return 0;
    }

    void append_snapshot_begin(std::string& out, const SnapshotBegin& begin,
                               const std::vector<RelationPtr>& tables) override {
        Change marker;
        marker.op = Op::message;
        marker.snapshot = true;
        marker.position = {begin.consistent_point, 0};
        std::string content = fmt::format(R"({{"epoch":{})", begin.epoch);
        if (begin.added) append_tables(content, tables);
        append_message(out, marker, "pgsluice.snapshot", content + '}');
    }

   private:
    static void append_tables(std::string& out, const std::vector<RelationPtr>& tables) {
        out += R"(,"tables":[)";
        const char* comma = "";
        for (const RelationPtr& table : tables) {
            if (table == nullptr) continue;
            out += comma;
            out += R"({"schema":)";
            append_json_string(out, table->schema);
            out += R"(,"table":)";
            append_json_string(out, table->table);
            out += '}';
            comma = ",";
        }
        out += ']';
    }

    TableEnvelope& envelope_of(const Relation& relation) {
        TableEnvelope& envelope = envelopes_.at(relation);
        if (envelope.order == nullptr) envelope.order = &orders_[envelope.names];
        return envelope;
    }

    std::size_t append_update(std::string& out, const Change& change, TableEnvelope& envelope) {
        const bool new_key = change.old_kind == OldRow::key && envelope.splits_key_changes;
        if (!new_key) {
            append_row(out, change, 'u', envelope);
            return 1;
        }
        append_row(out, change, 'd', envelope);
        append_row(out, change, 'c', envelope);
        return 2;
    }

    void append_row(std::string& out, const Change& change, char op, TableEnvelope& envelope) {
        append_head(out, change, op, envelope.names);
        if (change.transaction != nullptr) append_table_order(out, change, *envelope.order);
        out += R"(,"before":)";
        if (change.old_kind == OldRow::none || op == 'c' || op == 't') {
            out += "null";
        } else {
            rows_.append(out, envelope.row, change.old_row, change.old_kind == OldRow::key);
        }
        out += R"(,"after":)";
        if (op == 'd' || op == 't') {
            out += "null";
        } else {
            rows_.append(out, envelope.row, change.new_row, false);
        }
        if (op == 't') append_share(out, change.prefix);
        out += "}\n";
    }

    void append_message(std::string& out, const Change& change, std::string_view prefix, std::string_view content) {
        append_head(out, change, 'm', R"("schema":"","table":""})");
        if (change.transaction != nullptr) append_table_order(out, change, messages_);
        out += R"(,"message":{"prefix":)";
        append_json_string(out, prefix);
        out += R"(,"content":")";
        append_base64(out, content);
        out += "\"}";
        append_share(out, share_);
        out += "}\n";
    }

    // A field of ours: Debezium has nothing like it.
    static void append_share(std::string& out, std::string_view share) {
        if (share.empty()) return;
        out += R"(,"share":)";
        append_json_string(out, share);
    }

    // op, source, the times and the transaction, whose data_collection_order is still to come.
    void append_head(std::string& out, const Change& change, char op, std::string_view names) {
        render_transaction(change);
        out += R"({"op":")";
        out += op;
        out += head_;
        out += source_;
        out += names;
        out += times_;
        if (change.transaction != nullptr) append_number(out, change.position.ordinal);
    }

    static void append_table_order(std::string& out, const Change& change, TableOrder& order) {
        if (order.commit != change.position.commit) order = {change.position.commit, 0};
        out += R"(,"data_collection_order":)";
        append_number(out, ++order.events);
        out += '}';
    }

    // What is the same for the changes of a transaction.
    void render_transaction(const Change& change) {
        const Rendered wanted{change.position.commit, change.snapshot, change.transaction != nullptr};
        if (rendered_for_ == wanted) return;
        rendered_for_ = wanted;
        const std::uint64_t lsn = change.position.commit.value;
        const Transaction* transaction = change.transaction;
        source_ = ",";
        append_times(source_, transaction != nullptr ? transaction->commit_time_us + postgres_epoch_us : now_us_);
        fmt::format_to(std::back_inserter(source_),
                       R"(,"snapshot":"{}","db":{},"sequence":"[\"{}\",\"{}\"]","lsn":{},"xmin":null,"txId":)",
                       change.snapshot, database_, lsn, lsn, lsn);
        source_ += transaction != nullptr ? fmt::format("{},", transaction->xid) : "null,";
        times_ = ",";
        append_times(times_, now_us_);
        times_ += R"(,"transaction":)";
        times_ +=
            transaction != nullptr ? fmt::format(R"({{"id":"{}:{}","total_order":)", transaction->xid, lsn) : "null";
    }

    // One moment, in the three units Debezium gives it in.
    static void append_times(std::string& out, std::int64_t unix_us) {
        fmt::format_to(std::back_inserter(out), R"("ts_ms":{},"ts_us":{},"ts_ns":{}000)", unix_us / 1000, unix_us,
                       unix_us);
    }

    static void append_number(std::string& out, std::uint64_t number) {
        const fmt::format_int digits(number);
        out.append(digits.data(), digits.size());
    }

    struct Rendered {
        Lsn commit;
        bool snapshot;
        bool in_transaction;
        bool operator==(const Rendered&) const = default;
    };

    std::string share_;
    std::string head_;                // the source block's beginning
    std::string database_ = R"("")";  // its JSON string
    std::string source_;              // the source block's middle
    std::string times_;               // what follows the source block
    std::optional<Rendered> rendered_for_;
    std::int64_t now_us_ = 0;
    PerRelation<TableEnvelope> envelopes_;
    std::unordered_map<std::string, TableOrder> orders_;  // by TableEnvelope::names
    TableOrder messages_;
    RowWriter rows_{Unchanged::placeholder};
};

}  // namespace

std::unique_ptr<LineEncoder> make_debezium_encoder(std::string name, std::string share) {
    return std::make_unique<DebeziumEncoder>(name, std::move(share));
}

}  // namespace pgsluice
