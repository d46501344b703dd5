#include "sinks/lines/json_line.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "sinks/ddl/derive.h"
#include "sinks/lines/ddl_line_object.h"
#include "sinks/lines/debezium_line.h"
#include "sinks/lines/json_columns.h"
#include "sinks/lines/rfc3339.h"
#include "stream/definition/definition_message.h"
#include "stream/format/ddl_message.h"
#include "stream/format/json_string.h"
#include "stream/per_relation.h"

namespace pgsluice {

namespace {

// How a table's rows are told apart. A table without a key has nothing but its whole row for that.
std::string_view key_type(const Relation& relation, bool has_key) {
    if (!has_key || relation.identity == ReplicaIdentity::full) return "FULL";
    return relation.identity == ReplicaIdentity::index ? "UNIQUE" : "PRIMARY KEY";
}

std::string replication_key(const Relation& relation) {
    bool has_key = false;
    for (const Column& column : relation.columns) has_key |= column.key;
    std::string out = fmt::format(R"({{"Type":"{}","Columns":[)", key_type(relation, has_key));
    const char* comma = "";
    for (const Column& column : relation.columns) {
        if (has_key && !column.key) continue;
        out += comma;
        append_json_string(out, column.name);
        comma = ",";
    }
    return out + "]}";
}

void append_name(std::string& out, const Relation& relation) {
    out += R"("Schema":)";
    append_json_string(out, relation.schema);
    out += R"(,"Table":)";
    append_json_string(out, relation.table);
}

constexpr std::array<std::string_view, 4> type_names = {"INSERT", "UPDATE", "DELETE", "TRUNCATE"};

struct TableLine {
    std::array<std::string, 4> heads;  // by Op: the line up to what changes between transactions
    JsonColumns row;

    explicit TableLine(const Relation& relation) : row(relation) {
        for (std::size_t op = 0; op < heads.size(); ++op) {
            heads[op] = fmt::format(R"({{"Type":"{}",)", type_names[op]);
            append_name(heads[op], relation);
            heads[op] += R"(,"ReplicationKey":)" + replication_key(relation);
        }
    }
};

// The line's middle: all that is the same for the changes of one transaction, up to the ordinal.
class TransactionPart {
   public:
    void set_time(std::int64_t unix_us) {
        emitted_.clear();
        append_rfc3339(emitted_, unix_us);
        text_.clear();
    }

    const std::string& of(const Change& change) {
        const bool same = !text_.empty() && change.position.commit == lsn_ && change.snapshot == snapshot_ &&
                          (change.transaction != nullptr) == in_transaction_;
        if (!same) render(change);
        return text_;
    }

   private:
    void render(const Change& change) {
        lsn_ = change.position.commit;
        snapshot_ = change.snapshot;
        in_transaction_ = change.transaction != nullptr;
        const std::string lsn = to_string(lsn_);
        text_ = fmt::format(R"(,"LSN":"{}","EmittedAt":"{}")", lsn, emitted_);
        if (in_transaction_) {
            fmt::format_to(std::back_inserter(text_), R"(,"TransactionId":{},"CommitLSN":"{}","CommittedAt":")",
                           change.transaction->xid, lsn);
            append_rfc3339(text_, change.transaction->commit_time_us + postgres_epoch_us);
            text_ += '"';
        }
        text_ += snapshot_ ? R"(,"Snapshot":true,"Ordinal":)" : R"(,"Snapshot":false,"Ordinal":)";
    }

    std::string emitted_;
    std::string text_;  // empty: to be rendered
    Lsn lsn_;
    bool snapshot_ = false;
    bool in_transaction_ = false;
};

class PgFloEncoder final : public LineEncoder {
   public:
    explicit PgFloEncoder(std::string share) : share_(std::move(share)) { set_time(now_unix_us()); }

    void set_time(std::int64_t unix_us) override { transaction_.set_time(unix_us); }

    std::size_t append(std::string& out, const Change& change) override {
        if (change.op == Op::message) return append_message(out, change);
        if (change.op == Op::truncate) {
            for (const RelationPtr& table : change.truncated) {
                append_head(out, change, tables_.at(*table));
                if (!change.prefix.empty()) append_text(out, "Share", change.prefix);
                out += "}\n";
            }
            return change.truncated.size();
        }
        const TableLine& table = tables_.at(*change.relation);
        append_head(out, change, table);
        append_rows(out, change, table.row);
        out += "}\n";
        return 1;
    }

    void append_snapshot_begin(std::string& out, const SnapshotBegin& begin,
                               const std::vector<RelationPtr>& tables) override {
        fmt::format_to(std::back_inserter(out), R"({{"Type":"SNAPSHOT","Epoch":{},"LSN":"{}","Tables":[)", begin.epoch,
                       to_string(begin.consistent_point));
        const char* comma = "{";
        for (const RelationPtr& table : tables) {
            if (table == nullptr) continue;
            out += comma;
            append_name(out, *table);
            out += '}';
            comma = ",{";
        }
        out += ']';
        append_share(out);
        out += "}\n";
    }

   private:
    void append_head(std::string& out, const Change& change, const TableLine& table) {
        out += table.heads[static_cast<std::size_t>(change.op)];
        out += transaction_.of(change);
        append_number(out, change.position.ordinal);
    }

    void append_rows(std::string& out, const Change& change, const JsonColumns& columns) {
        bool any_unchanged = false;
        if (change.op != Op::del) {
            out += R"(,"NewTuple":)";
            any_unchanged = rows_.append(out, columns, change.new_row, false);
        }
        if (change.old_kind != OldRow::none) {
            out += R"(,"OldTuple":)";
            rows_.append(out, columns, change.old_row, change.old_kind == OldRow::key);
        }
        if (any_unchanged) append_unchanged(out, columns, change.new_row);
    }

    static void append_unchanged(std::string& out, const JsonColumns& columns, Row row) {
        out += R"(,"UnchangedToast":)";
        char before = '[';
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (!row[i].is_unchanged()) continue;
            out += before;
            const std::string& name = columns.fields[i].name;
            out.append(name, 1, name.size() - 2);  // without the leading comma and the trailing colon
            before = ',';
        }
        out += ']';
    }

    std::size_t append_message(std::string& out, const Change& change) {
        if (change.prefix != ddl_message_prefix) return 0;
        if (holds_definitions(change.content)) {
            const DefinitionMessage message = decode_definitions(change.content);
            const DdlLineObject object = line_object(message);
            append_command(out, change, {message.tag, object.dropped ? "sql_drop" : "ddl_command_end", object},
                           text_of(derive(message)));
            out += R"(,"Objects":)" + encode_objects(message);  // what the command is derived from
        } else {
            const DdlMessage ddl = decode_ddl(change.content);
            const DdlObject object = ddl.objects.empty() ? DdlObject{} : ddl.objects.front();
            append_command(out, change,
                           {ddl.tag, ddl.event, {object.type, object.identity, object.schema, object.table}},
                           ddl.command);
        }
        append_share(out);
        out += "}\n";
        return 1;
    }

    void append_share(std::string& out) const {
        if (!share_.empty()) append_text(out, "Share", share_);
    }

    struct CommandOfLine {
        std::string_view tag;
        std::string_view event;
        DdlLineObject object;
    };
    void append_command(std::string& out, const Change& change, const CommandOfLine& about, std::string_view command) {
        out += R"({"Type":"DDL")";
        append_text(out, "Schema", about.object.schema);
        append_text(out, "Table", about.object.table);
        out += transaction_.of(change);
        append_number(out, change.position.ordinal);
        append_text(out, "Command", about.tag);
        out += R"(,"NewTuple":{"event_type":)";
        append_json_string(out, about.event);
        append_text(out, "object_type", about.object.type);
        append_text(out, "object_identity", about.object.identity);
        append_text(out, "ddl_command", command);
        out += R"(,"created_at":")";
        if (change.transaction != nullptr) append_rfc3339(out, change.transaction->commit_time_us + postgres_epoch_us);
        out += "\"}";
    }

    static void append_text(std::string& out, std::string_view name, std::string_view value) {
        fmt::format_to(std::back_inserter(out), R"(,"{}":)", name);
        append_json_string(out, value);
    }

    static void append_number(std::string& out, std::uint64_t number) {
        const fmt::format_int text(number);
        out.append(text.data(), text.size());
    }

    const std::string share_;
    PerRelation<TableLine> tables_;
    TransactionPart transaction_;
    RowWriter rows_{Unchanged::leave_out};
};

}  // namespace

std::unique_ptr<LineEncoder> make_line_encoder(LineFormat format, const std::string& name, const std::string& share) {
    if (format == LineFormat::debezium) return make_debezium_encoder(name, share);
    return std::make_unique<PgFloEncoder>(share);
}

}  // namespace pgsluice
