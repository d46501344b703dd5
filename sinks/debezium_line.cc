#include "sinks/debezium_line.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <iterator>
#include <optional>

#include "sinks/rfc3339.h"
#include "sinks/row_plan.h"

namespace pgsluice {

namespace {

char op_of(const Change& change) {
    switch (change.op) {
        case Op::insert:
            return change.snapshot ? 'r' : 'c';
        case Op::update:
            return 'u';
        case Op::del:
            return 'd';
        case Op::truncate:
            return 't';
        case Op::message:
            break;
    }
    return 'm';
}

void append_base64(std::string& out, std::string_view bytes) {
    const std::size_t at = out.size();
    out.resize(at + (bytes.size() + 2) / 3 * 4 + 1);  // and the NUL it writes
    const int written =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + at),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(at + static_cast<std::size_t>(written));
}

struct EnvelopePlan {
    std::string names;  // of the source block: `"schema":"s","table":"t"}`
    RowPlan row;

    explicit EnvelopePlan(const Relation& relation) : row(relation) {
        names = R"("schema":)";
        append_json_string(names, relation.schema);
        names += R"(,"table":)";
        append_json_string(names, relation.table);
        names += '}';
    }
};

class DebeziumEncoder final : public LineEncoder {
   public:
    explicit DebeziumEncoder(const std::string& name) {
        head_ = R"(","source":{"version":")" PGSLUICE_VERSION R"(","connector":"postgresql","name":)";
        append_json_string(head_, name);
        set_time(now_unix_us());
    }

    void set_time(std::int64_t unix_us) override {
        now_ms_ = unix_us / 1000;
        rendered_for_.reset();
    }

    std::size_t append(std::string& out, const Change& change) override {
        if (change.op == Op::message) {
            append_message(out, change, change.prefix, change.content);
            return 1;
        }
        if (change.op == Op::truncate) {
            for (const RelationPtr& table : change.truncated) append_row(out, change, plans_.at(*table));
            return change.truncated.size();
        }
        append_row(out, change, plans_.at(*change.relation));
        return 1;
    }

    void append_snapshot_begin(std::string& out, const SnapshotBegin& begin,
                               const std::vector<RelationPtr>& /*tables*/) override {
        Change marker;
        marker.op = Op::message;
        marker.snapshot = true;
        marker.position = {begin.consistent_point, 0};
        append_message(out, marker, "pgsluice.snapshot", fmt::format(R"({{"epoch":{}}})", begin.epoch));
    }

   private:
    void append_row(std::string& out, const Change& change, const EnvelopePlan& plan) {
        append_head(out, change, plan.names);
        out += R"(,"before":)";
        if (change.old_kind == OldRow::none || change.op == Op::truncate) {
            out += "null";
        } else {
            rows_.append(out, plan.row, change.old_row, change.old_kind == OldRow::key);
        }
        out += R"(,"after":)";
        if (change.op == Op::insert || change.op == Op::update) {
            rows_.append(out, plan.row, change.new_row, false);
        } else {
            out += "null";
        }
        out += "}\n";
    }

    void append_message(std::string& out, const Change& change, std::string_view prefix, std::string_view content) {
        append_head(out, change, R"("schema":"","table":""})");
        out += R"(,"message":{"prefix":)";
        append_json_string(out, prefix);
        out += R"(,"content":")";
        append_base64(out, content);
        out += "\"}}\n";
    }

    // op, source, ts_ms and transaction.
    void append_head(std::string& out, const Change& change, std::string_view names) {
        render_transaction(change);
        out += R"({"op":")";
        out += op_of(change);
        out += head_;
        out += source_;
        out += names;
        out += times_;
        if (change.transaction == nullptr) return;
        const fmt::format_int order(change.position.ordinal);
        out.append(order.data(), order.size());
        out += R"(,"data_collection_order":)";
        out.append(order.data(), order.size());
        out += '}';
    }

    // What is the same for the changes of a transaction.
    void render_transaction(const Change& change) {
        const Rendered wanted{change.position.commit, change.snapshot, change.transaction != nullptr};
        if (rendered_for_ == wanted) return;
        rendered_for_ = wanted;
        const std::uint64_t lsn = change.position.commit.value;
        const Transaction* transaction = change.transaction;
        const std::int64_t ts_ms =
            transaction != nullptr ? (transaction->commit_time_us + kPostgresEpochUs) / 1000 : now_ms_;
        source_ =
            fmt::format(R"(,"ts_ms":{},"snapshot":"{}","sequence":"[\"{}\",\"{}\"]","lsn":{},"xmin":null,"txId":)",
                        ts_ms, change.snapshot, lsn, lsn, lsn);
        source_ += transaction != nullptr ? fmt::format("{},", transaction->xid) : "null,";
        times_ = fmt::format(R"(,"ts_ms":{},"transaction":)", now_ms_);
        times_ +=
            transaction != nullptr ? fmt::format(R"({{"id":"{}:{}","total_order":)", transaction->xid, lsn) : "null";
    }

    struct Rendered {
        Lsn commit;
        bool snapshot;
        bool in_transaction;
        bool operator==(const Rendered&) const = default;
    };

    std::string head_;    // the source block's beginning
    std::string source_;  // its middle
    std::string times_;   // what follows it
    std::optional<Rendered> rendered_for_;
    std::int64_t now_ms_ = 0;
    PerRelation<EnvelopePlan> plans_;
    RowWriter rows_{Unchanged::placeholder};
};

}  // namespace

std::unique_ptr<LineEncoder> make_debezium_encoder(std::string name) { return std::make_unique<DebeziumEncoder>(name); }

}  // namespace pgsluice
