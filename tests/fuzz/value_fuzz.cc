// Any bytes under a KV key, in a marker, a DDL message or a dead letter are read, or refused with an Error. What was
// read and is written again is read as the same. The first byte of the input picks the reader.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sql/error.h"
#include "stream/definition/definition_message.h"
#include "stream/format/ddl_message.h"
#include "stream/format/markers.h"
#include "stream/group/compare_keys.h"
#include "stream/group/copy_request.h"
#include "stream/group/cutover_record.h"
#include "stream/group/ddl_record.h"
#include "stream/group/delivered_rules.h"
#include "stream/group/direct_copy.h"
#include "stream/group/last_changes.h"
#include "stream/group/registry.h"
#include "stream/group/schema_history.h"
#include "stream/group/snapshot_start.h"
#include "stream/group/table_record.h"
#include "stream/group/tables.h"
#include "tests/fuzz/seeds.h"
#include "worker/dead_letters/letter.h"

using namespace pgsluice;

namespace {

template <auto decode>
void check(std::string_view text) {
    const std::string once = encode(decode(text));
    if (encode(decode(once)) != once) std::abort();
}

WorkerEntry decode_entry(std::string_view text) { return decode_worker("w", text); }

struct Oids {
    std::set<Oid> tables;
};
std::string encode(const Oids& oids) { return encode_copy_request(oids.tables); }
Oids decode_oids(std::string_view text) { return {decode_copy_request(text)}; }

// A begin marker that says where the rows are.
struct DirectMarker {
    SnapshotBegin begin;
    DirectPlan plan;
};
std::string encode(const DirectMarker& marker) { return encode(marker.begin, marker.plan); }
DirectMarker decode_direct_marker(std::string_view text) {
    const auto plan = decode_direct_plan(text);
    if (!plan) throw stop_error("the rows are in the stream");
    return {decode_snapshot_begin(text), *plan};
}

// The version is one field of a key that only its owner writes.
void check_version(std::string_view text) { static_cast<void>(decode_record_version(text)); }

void check_dump_marker(std::string_view text) { static_cast<void>(is_dump_marker(text)); }

void check_letter(std::string_view text) {
    BlockReader reader;
    DeadLetter letter;
    letter.block = text;
    const auto block = decode_dead_letter(reader, letter);
    static_cast<void>(describe_dead_letter(letter, block->changes[0]));
    letter.block = encode_dead_letter(block->changes[0]);
    if (decode_dead_letter(reader, letter)->changes.size() != 1) std::abort();
}

Relation some_relation() {
    Relation relation{16385, "public", "or\"der", ReplicaIdentity::full, {{"id", 20, -1, true, "bigint", 20, 0}}};
    relation.columns[0].number = 1;
    relation.ancestors = {{"s", "root"}};
    return relation;
}

SnapshotBegin some_begin() {
    SnapshotBegin begin;
    begin.epoch = 2;
    begin.consistent_point = Lsn{5};
    begin.tables = {some_relation()};
    begin.estimated_bytes = {8192};
    begin.replaces = {0};
    return begin;
}

std::vector<TableRecord> some_records() {
    TableRecord record;
    record.oid = record.delivered_oid = 16385;
    record.capture = "named";
    record.name = record.delivered_as = {"public", "t"};
    record.state = TableState::copied;
    record.lsn = Lsn{7};
    record.rows = 3;
    record.reason = "dropped";
    return {record};
}

TableHistory some_history() {
    PastDefinition past{{Lsn{5}, 1}, some_relation(), {"id"}, {{std::int16_t{1}, "id"}}};
    return {{past}, some_relation()};
}

// An object of each class.
std::string some_definitions() {
    const ObjectName name{1, "public", "t"};
    TableDefinition table{"public", "t", 'p', 'p', "alice"};
    table.columns.push_back({1, "id", "bigint", 20, 20, 0, -1, true, {}, "nextval('public.s'::regclass)"});
    table.constraints.push_back({7, "t_pkey", 'p', "PRIMARY KEY (id)", true, true, "the key", true, true, false});
    table.partition_by = "RANGE (id)";
    table.parents = table.ancestors = {name};
    table.options = {"fillfactor=70"};
    TypeDefinition type{"public", "mood", "bob", 'e'};
    type.labels = {{1, "sad"}};
    type.attributes = {{1, "x", "integer", {}}};
    type.constraints = {{5, "positive", "CHECK ((VALUE > 0))", false}};
    const IndexDefinition index{"public", "i", name, "CREATE INDEX i ON public.t USING btree (id)", true, name, ""};
    const SequenceDefinition sequence{
        "public", "s", "bob", "bigint", "1", "-1", "1", "9", "1", true, SequenceOwner{1, "public", "t", "id"}, "c"};
    DefinitionMessage message{"ALTER TABLE", {}};
    message.objects.push_back({1, TableDefinition{"public", "t"}, table, 3, true, true, true, "no"});
    message.objects.push_back({2, {}, index});
    message.objects.push_back({3, sequence, {}});
    message.objects.push_back({4, {}, type});
    message.objects.push_back({5, {}, SchemaDefinition{"shop", "bob", "c"}});
    message.objects.push_back({6, {}, StatisticsDefinition{"public", "st", name, "CREATE STATISTICS ...", "c"}});
    message.objects.push_back({7, {}, ExtensionDefinition{"citext", "public", "1.6"}});
    return encode(message);
}

std::string some_letter() {
    const Relation relation = some_relation();
    const std::vector<Value> row{Value(std::string_view("1"))};
    Change change;
    change.relation = &relation;
    change.new_row = row;
    change.position = {Lsn{9}, 1};
    return encode_dead_letter(change);
}

struct Reader {
    void (*check)(std::string_view text);
    std::string (*seed)();
};

const std::array readers{
    Reader{check<decode_group>,
           [] {
               return encode(GroupInfo{"shop", "73", 3, "shop", "15.18", "0.1.0"});
           }},
    Reader{check<decode_snapshot_begin>, [] { return encode(some_begin()); }},
    Reader{check<decode_direct_marker>,
           [] {
               return encode(DirectMarker{some_begin(), {"00000003-0000001B-1", 8192, {{0, "public", "p", 7}}}});
           }},
    Reader{check<decode_direct_copy>,
           [] {
               return encode(DirectCopy{2, Lsn{5}, "w", true, {{0, {1, 7, 3, 40}}}});
           }},
    Reader{check<decode_snapshot_end>,
           [] {
               return encode(SnapshotEnd{7, Lsn{9}, 12, true});
           }},
    Reader{check<decode_progress>,
           [] {
               return encode(Progress{Lsn{9}, -5});
           }},
    Reader{check_dump_marker,
           [] {
               return encode_dump_marker(Progress{Lsn{9}, -5});
           }},
    Reader{check<decode_ddl>,
           [] {
               return encode(DdlMessage{"ddl_command_end",
                                        "ALTER TABLE",
                                        "ALTER TABLE t ADD c int",
                                        "public",
                                        {{"table", "public.t", "public", "t", {{{"s", "root"}}}}},
                                        ""});
           }},
    Reader{check<decode_definitions>, some_definitions},
    Reader{check<decode_tables>,
           [] {
               return encode(GroupTables{{some_relation()}, {some_relation()}});
           }},
    Reader{check<decode_table_records>, [] { return encode(some_records()); }},
    Reader{check_version, [] { return std::string(R"({"version":1,"publication":"5"})"); }},
    Reader{check<decode_oids>,
           [] {
               return encode_copy_request({16385, 16390});
           }},
    Reader{check<decode_ddl_record>,
           [] {
               return encode(DdlRecord{true, {9}});
           }},
    Reader{check<decode_cutover>,
           [] {
               return encode(CutoverRecord{Lsn{5}, 7, true});
           }},
    Reader{check<decode_snapshot_start>,
           [] {
               return encode(SnapshotStart{2, {3}, Lsn{5}});
           }},
    Reader{check<decode_compare_request>,
           [] {
               return encode(CompareRequest{"0a", Lsn{5}});
           }},
    Reader{check<decode_compare_answer>,
           [] {
               return encode(CompareAnswer{"0a", CompareState::passed});
           }},
    Reader{check<decode_seen_table>, [] { return encode(some_history()); }},
    Reader{check<decode_last_changes>,
           [] {
               return encode(LastChanges{{16385, {}}});
           }},
    Reader{check<decode_delivered_rules>,
           [] {
               return encode(DeliveredRules{"public.t", "-", "insert", true, {{1, "id", "0a", "0b"}}});
           }},
    Reader{check<decode_entry>,
           [] {
               WorkerEntry entry;
               entry.name = "w";
               entry.sink = "postgres";
               entry.session = "0a";
               entry.waiting = "a lock";
               return encode(entry);
           }},
    Reader{check_letter, some_letter},
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    std::vector<std::string> seeds;
    for (std::size_t i = 0; i < readers.size(); ++i)
        seeds.push_back(std::string(1, static_cast<char>(i)) + readers[i].seed());
    fuzz::add_seeds(argc, argv, seeds);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);  // exactly sized: ASan guards its end
    try {
        readers[data[0] % readers.size()].check(text);
    } catch (const Error& error) {
        if (error.action() != Action::stop) std::abort();
    }
    return 0;
}
