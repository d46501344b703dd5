#include "stream/seal/seal_record.h"

#include <algorithm>
#include <utility>

#include "stream/base/hex.h"
#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/seal/cipher.h"

namespace pgsluice {

namespace {

constexpr std::size_t id_bytes = 8;

std::string new_id() { return to_hex(random_bytes(id_bytes)); }

}  // namespace

const SealRecord::Run* SealRecord::run_of(StreamSeq seq) const noexcept {
    const auto after = std::ranges::find_if(runs, [&](const Run& run) { return run.from > seq; });
    return after == runs.begin() ? nullptr : &*std::prev(after);
}

bool SealRecord::knows_key(std::string_view id) const noexcept { return std::ranges::find(keys, id) != keys.end(); }

void SealRecord::begin_run(StreamSeq from) {
    std::erase_if(runs, [&](const Run& run) { return run.from >= from; });
    runs.push_back({new_id(), from});
}

std::string encode(const SealRecord& record) {
    JsonText out;
    out.raw("{\"version\":1,\"keys\":[");
    for (bool first = true; const std::string& id : record.keys) {
        if (!std::exchange(first, false)) out.raw(',');
        out.text(id);
    }
    out.raw("],\"runs\":[");
    for (bool first = true; const SealRecord::Run& run : record.runs) {
        if (!std::exchange(first, false)) out.raw(',');
        out.raw("{\"id\":");
        out.text(run.id);
        out.number("from", run.from.value);
        out.raw('}');
    }
    out.raw("]}");
    return std::string(out.view());
}

SealRecord decode_seal_record(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'sealed'", [](const JsonFields& fields) {
        if (fields.unsigned_number<std::uint32_t>("version") != 1)
            throw fields.bad("version", "of a version of pgsluice later than this");
        SealRecord record;
        for (const auto id : fields.array("keys")) {
            std::string_view text;
            if (id.get(text) != simdjson::SUCCESS) throw fields.bad("keys", "not a list of ids");
            record.keys.emplace_back(text);
        }
        for (const auto element : fields.array("runs")) {
            const JsonFields run(element, "a run of a sealed stream");
            record.runs.push_back({run.text("id"), {run.unsigned_number<std::uint64_t>("from")}});
        }
        if (record.runs.empty()) throw fields.bad("runs", "empty");
        return record;
    });
}

}  // namespace pgsluice
