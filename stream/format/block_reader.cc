#include "stream/format/block_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

#include "sql/error.h"
#include "stream/base/arena.h"
#include "stream/base/hex.h"
#include "stream/format/json_string.h"
#include "stream/format/relation_json.h"

namespace pgsluice {

namespace ondemand = simdjson::ondemand;

struct Block::Storage {
    std::unique_ptr<char[]> body;  // unescaped in place
    std::size_t capacity = 0;
    Arena arena{256UL * 1024};
    std::deque<std::vector<RelationPtr>> truncated;
    std::vector<std::size_t> key_columns;  // per entry of Block::relations
};

namespace {

constexpr std::size_t kept_body_bytes = 2UL << 20;
constexpr std::size_t kept_blocks = 16;

Error malformed(std::string_view reason) {
    return stop_error(fmt::format("unable to read a block of changes: {}", reason));
}

// Blocks released by their last owner, for reuse.
class Pool : public std::enable_shared_from_this<Pool> {
   public:
    std::shared_ptr<Block> take() {
        std::unique_ptr<Block> block;
        {
            const std::lock_guard lock(mutex_);
            if (!free_.empty()) {
                block = std::move(free_.back());
                free_.pop_back();
            }
        }
        if (!block) {
            block = std::make_unique<Block>();
            block->storage = std::make_shared<Block::Storage>();
        }
        return {block.release(), [pool = shared_from_this()](Block* used) { pool->give_back(used); }};
    }

   private:
    void give_back(Block* used) noexcept {
        std::unique_ptr<Block> block(used);
        if (block->storage->capacity > kept_body_bytes) return;
        block->changes.clear();
        block->transactions.clear();
        block->items.clear();
        block->relations.clear();
        block->storage->arena.clear();
        block->storage->truncated.clear();
        block->storage->key_columns.clear();
        const std::lock_guard lock(mutex_);
        if (free_.size() < kept_blocks) free_.push_back(std::move(block));
    }

    std::mutex mutex_;
    std::vector<std::unique_ptr<Block>> free_;
};

// Definitions by their JSON text. None is ever dropped: an address must not come to mean another relation.
class RelationCache {
   public:
    RelationPtr get(std::string_view json) {
        if (const auto found = known_.find(json); found != known_.end()) return found->second;
        auto relation = std::make_shared<const Relation>(parse_relation(json));
        return known_.emplace(std::string(json), std::move(relation)).first->second;
    }

   private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, RelationPtr, Hash, std::equal_to<>> known_;
};

// The elements of one array, in order.
class Elements {
   public:
    explicit Elements(ondemand::array array) : place_(array.begin()), end_(array.end()) {}

    bool at_end() {
        if (taken_) ++place_;
        taken_ = false;
        return place_ == end_;
    }
    ondemand::value next() {
        if (at_end()) throw malformed("a record or a row is too short");
        taken_ = true;
        return *place_;
    }
    void expect_end() {
        if (!at_end()) throw malformed("a record or a row is too long");
    }

   private:
    simdjson::simdjson_result<ondemand::array_iterator> place_;
    simdjson::simdjson_result<ondemand::array_iterator> end_;
    bool taken_ = false;
};

class Parse {
   public:
    Parse(Block& block, RelationCache& cache) : block_(block), storage_(*block.storage), cache_(cache) {}

    void record(ondemand::array array) {
        Elements in(array);
        const auto kind = text(in.next());
        if (kind.size() != 1) throw malformed("unknown kind of record");
        switch (kind[0]) {
            case 'R':
                return relation(in);
            case 'B':
                return begin(in);
            case 'I':
            case 'U':
            case 'D':
                return row_change(in, kind[0]);
            case 'T':
                return truncate(in);
            case 'M':
            case 'N':
                return message(in, kind[0] == 'M');
            case 'C':
                return commit(in);
            default:
                throw malformed("unknown kind of record");
        }
    }

   private:
    void relation(Elements& in) {
        if (number(in) != block_.relations.size()) throw malformed("a relation is out of order");
        auto defined = cache_.get(in.next().get_object().value().raw_json());
        const auto& columns = defined->columns;
        storage_.key_columns.push_back(static_cast<std::size_t>(
            std::count_if(columns.begin(), columns.end(), [](const Column& column) { return column.key; })));
        block_.relations.push_back(std::move(defined));
        in.expect_end();
    }

    void begin(Elements& in) {
        transaction_ = storage_.arena.make<Transaction>(1).data();
        const auto xid = number(in);
        if (xid > UINT32_MAX) throw malformed("a transaction's id is out of range");
        transaction_->xid = static_cast<std::uint32_t>(xid);
        transaction_->commit_lsn = lsn(in);
        transaction_->commit_time_us = in.next().get_int64();
        if (!in.at_end()) transaction_->made_in = text(in.next());
        block_.transactions.push_back(transaction_);
        last_ordinal_ = 0;
        in.expect_end();
    }

    void row_change(Elements& in, char kind) {
        const auto index = number(in);
        if (index >= block_.relations.size()) throw malformed("a change names a relation that is not defined");
        Change& change = start_change(kind == 'I' ? Op::insert : kind == 'U' ? Op::update : Op::del, in);
        change.relation = block_.relations[index].get();
        if (kind != 'D') change.new_row = row(*change.relation, in.next());
        if (kind == 'D' || !in.at_end()) old_row(change, index, in);
        in.expect_end();
    }

    void old_row(Change& change, std::size_t relation_index, Elements& in) {
        const auto kind = text(in.next());
        if (kind == "f") {
            change.old_kind = OldRow::full;
            change.old_row = row(*change.relation, in.next());
        } else if (kind == "k") {
            change.old_kind = OldRow::key;
            change.old_row = key_row(*change.relation, storage_.key_columns[relation_index], in.next());
        } else {
            throw malformed("unknown kind of old row");
        }
    }

    void truncate(Elements& in) {
        Change& change = start_change(Op::truncate, in);
        auto& relations = storage_.truncated.emplace_back();
        Elements numbers(in.next().get_array());
        while (!numbers.at_end()) {
            const auto index = number(numbers);
            if (index >= block_.relations.size()) throw malformed("a truncate names a relation that is not defined");
            relations.push_back(block_.relations[index]);
        }
        if (relations.empty()) throw malformed("a truncate of no table");
        change.truncated = relations;
        change.relation = relations.front().get();
        change.cascade = in.next().get_bool();
        change.restart_identity = in.next().get_bool();
        in.expect_end();
    }

    void message(Elements& in, bool transactional) {
        Change& change = transactional ? start_change(Op::message, in) : add_change(Op::message);
        if (!transactional) change.position.commit = lsn(in);
        change.prefix = text(in.next());
        change.content = text(in.next());
        in.expect_end();
    }

    void commit(Elements& in) {
        if (transaction_ == nullptr) throw malformed("a commit outside a transaction");
        transaction_->end_lsn = lsn(in);
        block_.items.push_back({Block::Item::Kind::commit, static_cast<std::uint32_t>(block_.transactions.size() - 1)});
        transaction_ = nullptr;
        in.expect_end();
    }

    Change& add_change(Op op) {
        block_.items.push_back({Block::Item::Kind::change, static_cast<std::uint32_t>(block_.changes.size())});
        Change& change = block_.changes.emplace_back();
        change.op = op;
        return change;
    }

    // A change of the transaction begun; the next element is its ordinal.
    Change& start_change(Op op, Elements& in) {
        if (transaction_ == nullptr) throw malformed("a change outside a transaction");
        const auto ordinal = number(in);
        if (ordinal <= last_ordinal_) throw malformed("the ordinals of a transaction do not increase");
        last_ordinal_ = ordinal;
        Change& change = add_change(op);
        change.transaction = transaction_;
        change.position = {transaction_->commit_lsn, ordinal};
        return change;
    }

    Row row(const Relation& relation, ondemand::value array) {
        const auto values = storage_.arena.make<Value>(relation.columns.size());
        Elements in(array.get_array());
        for (auto& place : values) place = value(in.next());
        in.expect_end();
        return values;
    }

    Row key_row(const Relation& relation, std::size_t keys, ondemand::value array) {
        if (keys == 0) throw malformed("the old key of a table without one");
        const auto values = storage_.arena.make<Value>(relation.columns.size());
        Elements in(array.get_array());
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (relation.columns[i].key) values[i] = value(in.next());
        }
        in.expect_end();
        return values;
    }

    Value value(ondemand::value json) {
        const auto token = trimmed(json.raw_json_token());
        if (token[0] == '"') return Value(unescaped(token));
        if (token == "null") return {};
        if (token == "false") return Value::unchanged();
        return Value(hex(json));
    }

    std::string_view text(ondemand::value json) {
        const auto token = trimmed(json.raw_json_token());
        return token[0] == '"' ? unescaped(token) : hex(json);
    }

    std::string_view hex(ondemand::value json) {
        ondemand::object object;
        if (json.get_object().get(object) != simdjson::SUCCESS) throw malformed("a value is of an unknown kind");
        ondemand::value digits_json;
        if (object.find_field("hex").get(digits_json) != simdjson::SUCCESS) {
            throw malformed("a value is of an unknown kind");
        }
        const auto token = trimmed(digits_json.raw_json_token());
        if (token[0] != '"') throw malformed("a value is not hexadecimal");
        const auto digits = unescaped(token);
        if (!decode_hex(digits, in_place(digits))) throw malformed("a value is not hexadecimal");
        return {digits.data(), digits.size() / 2};
    }

    // simdjson has found where the token ends, so a string needs only a scan for backslashes. The bytes inside the
    // quotes may be changed: simdjson continues from the token index of its first pass.
    std::string_view unescaped(std::string_view token) {
        if (token.size() < 2 || token.back() != '"') throw malformed("a string is not terminated");
        const auto inside = token.substr(1, token.size() - 2);
        if (std::memchr(inside.data(), '\\', inside.size()) == nullptr) return inside;
        const auto size = unescape_json(in_place(inside), inside.size());
        if (!size) throw malformed("a string has an invalid escape");
        return inside.substr(0, *size);
    }

    char* in_place(std::string_view part) { return storage_.body.get() + (part.data() - storage_.body.get()); }

    // Without the white space before the next token.
    static std::string_view trimmed(std::string_view token) {
        const auto last = token.find_last_not_of(" \t\r\n");
        if (last == std::string_view::npos) throw malformed("a value is missing");
        return token.substr(0, last + 1);
    }

    std::uint64_t number(Elements& in) { return in.next().get_uint64(); }

    Lsn lsn(Elements& in) {
        const auto value = parse_lsn(text(in.next()));
        if (!value) throw malformed("an LSN is malformed");
        return *value;
    }

    Block& block_;
    Block::Storage& storage_;
    RelationCache& cache_;
    Transaction* transaction_ = nullptr;  // begun and not committed in this block
    std::uint64_t last_ordinal_ = 0;
};

}  // namespace

struct BlockReader::State {
    std::shared_ptr<Pool> pool = std::make_shared<Pool>();
    RelationCache cache;
    ondemand::parser parser;
};

BlockReader::BlockReader() : state_(std::make_unique<State>()) {}
BlockReader::~BlockReader() = default;

std::shared_ptr<const Block> BlockReader::read(std::string_view body) {
    auto block = state_->pool->take();
    auto& storage = *block->storage;
    const std::size_t padded = body.size() + simdjson::SIMDJSON_PADDING;
    if (storage.capacity < padded) {
        storage.body.reset(new char[padded]);
        storage.capacity = padded;
    }
    if (!body.empty()) std::memcpy(storage.body.get(), body.data(), body.size());
    std::memset(storage.body.get() + body.size(), 0, simdjson::SIMDJSON_PADDING);
    try {
        ondemand::document document =
            state_->parser.iterate(simdjson::padded_string_view(storage.body.get(), body.size(), padded));
        Parse parse(*block, state_->cache);
        Elements records(document.get_array());
        while (!records.at_end()) parse.record(records.next().get_array());
        if (document.current_location().error() == simdjson::SUCCESS) throw malformed("text after the array");
    } catch (const simdjson::simdjson_error& error) {
        throw malformed(error.what());
    }
    return block;
}

}  // namespace pgsluice
