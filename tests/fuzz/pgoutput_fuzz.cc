// Any bytes either decode or throw an Error; every view stays inside the message or the decoder.
// The input is a run of messages, each behind two bytes of length, so that the decoder's reused memory is tried too.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "replicator/wal/pgoutput.h"
#include "sql/error.h"

using namespace pgsluice;

namespace {

unsigned touched = 0;

void touch(std::string_view text) {
    for (const char c : text) touched += static_cast<unsigned char>(c);
}

void touch(Row row) {
    for (const Value& value : row) touch(value.text());
}

struct Touch {
    void operator()(const pgoutput::Begin&) const {}
    void operator()(const pgoutput::Commit&) const {}
    void operator()(const pgoutput::Origin& origin) const { touch(origin.name); }
    void operator()(const pgoutput::RelationMessage& relation) const {
        touch(relation.schema);
        touch(relation.table);
        for (const auto& column : relation.columns) touch(column.name);
    }
    void operator()(const pgoutput::Type& type) const { touch(type.name); }
    void operator()(const pgoutput::Insert& insert) const { touch(insert.new_row); }
    void operator()(const pgoutput::Update& update) const {
        touch(update.old_row);
        touch(update.new_row);
    }
    void operator()(const pgoutput::Delete& del) const { touch(del.old_row); }
    void operator()(const pgoutput::Truncate& truncate) const {
        for (const Oid oid : truncate.relations) touched += oid;
    }
    void operator()(const pgoutput::LogicalMessage& message) const {
        touch(message.prefix);
        touch(message.content);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    pgoutput::Decoder decoder;
    while (input.size() >= 2) {
        std::size_t length =
            static_cast<std::size_t>(static_cast<unsigned char>(input[0])) << 8 | static_cast<unsigned char>(input[1]);
        input.remove_prefix(2);
        length = length < input.size() ? length : input.size();
        const std::string message(input.substr(0, length));  // exactly sized, so that AddressSanitizer guards its end
        input.remove_prefix(length);
        try {
            std::visit(Touch{}, decoder.decode(message));
        } catch (const Error&) {
        }
    }
    return 0;
}
