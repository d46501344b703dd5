#include "stream/group/bootstrap_record.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

constexpr const char* key = "bootstrap";

constexpr std::array<std::pair<BootstrapState, std::string_view>, 3> state_names{
    {{BootstrapState::waiting, "waiting"},
     {BootstrapState::accumulating, "accumulating"},
     {BootstrapState::streaming, "streaming"}}};

BootstrapState state_of(const JsonFields& fields) {
    const std::string text = fields.text("state");
    for (const auto& [state, name] : state_names)
        if (name == text) return state;
    throw fields.bad("state", "not a state");
}

}  // namespace

std::string_view to_string(BootstrapState state) { return state_names.at(static_cast<std::size_t>(state)).second; }

std::string encode(const BootstrapRecord& record) {
    JsonText out;
    out.raw('{');
    out.text("state", to_string(record.state));
    if (record.point.valid()) {
        out.lsn("point", record.point);
        out.number("seq", record.seq.value);
        out.text("snapshot", record.snapshot);
    }
    out.number("since_us", record.since_us);
    out.raw('}');
    return std::string(out.view());
}

BootstrapRecord decode_bootstrap(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'bootstrap'", [](const JsonFields& fields) {
        BootstrapRecord record;
        record.state = state_of(fields);
        record.since_us = fields.signed_number("since_us");
        if (record.state == BootstrapState::waiting && !fields.has("point")) return record;
        record.point = fields.lsn("point");
        record.seq = {fields.unsigned_number<std::uint64_t>("seq")};
        record.snapshot = fields.text("snapshot");
        return record;
    });
}

std::optional<BootstrapRecord> find_bootstrap(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, key);
    if (!kept) return std::nullopt;
    BootstrapRecord record = decode_bootstrap(kept->text);
    record.revision = kept->revision;
    return record;
}

bool try_record_bootstrap(Broker& broker, const Names& names, BootstrapRecord& record) {
    record.since_us = sql::postgres_time_us();
    const auto written = broker.kv_update(names, key, encode(record), record.revision);
    if (written) record.revision = *written;
    return written.has_value();
}

void record_bootstrap(Broker& broker, const Names& names, BootstrapRecord& record) {
    if (!try_record_bootstrap(broker, names, record))
        throw retry_error(fmt::format("unable to write the state of group '{}': another has changed it", names.group));
}

void forget_bootstrap(Broker& broker, const Names& names) {
    if (broker.kv_get(names, key)) broker.kv_delete(names, key);
}

}  // namespace pgsluice
