#include "stream/group/lease.h"

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/group/readable.h"

namespace pgsluice {

namespace {

constexpr const char* lease_key = "lease";
constexpr const char* standby_key = "standby";

}  // namespace

std::string encode(const Lease& lease) {
    JsonText out;
    out.raw('{');
    out.text("holder", lease.holder);
    out.text("host", lease.host);
    out.number("pid", lease.pid);
    out.number("renewed_us", lease.renewed_us);
    out.raw('}');
    return std::string(out.view());
}

Lease decode_lease(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'lease'", [](const JsonFields& fields) {
        return Lease{fields.text("holder"), fields.text("host"), fields.signed_number("pid"),
                     fields.signed_number("renewed_us")};
    });
}

std::optional<KeptLease> find_lease(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, lease_key);
    if (!kept) return std::nullopt;
    const auto lease = readable(decode_lease, kept->text);
    return lease ? std::optional(KeptLease{*lease, kept->revision}) : std::nullopt;
}

void renew_lease(Broker& broker, const Names& names, const Lease& lease) {
    broker.kv_put(names, lease_key, encode(lease));
}

bool claim_lease(Broker& broker, const Names& names, const KeptLease& found, const Lease& claimed) {
    return broker.kv_update(names, lease_key, encode(claimed), found.revision).has_value();
}

std::string encode(const StandbyReport& report) {
    JsonText out;
    out.raw('{');
    out.text("host", report.host);
    out.number("pid", report.pid);
    out.number("since_us", report.since_us);
    out.number("reported_us", report.reported_us);
    out.raw('}');
    return std::string(out.view());
}

StandbyReport decode_standby(std::string_view json) {
    return with_json_fields(json, "the bucket's key 'standby'", [](const JsonFields& fields) {
        return StandbyReport{fields.text("host"), fields.signed_number("pid"), fields.signed_number("since_us"),
                             fields.signed_number("reported_us")};
    });
}

void report_standby(Broker& broker, const Names& names, const StandbyReport& report) {
    broker.kv_put(names, standby_key, encode(report));
}

void end_standby_report(Broker& broker, const Names& names) { broker.kv_delete(names, standby_key); }

std::optional<StandbyReport> find_standby(Broker& broker, const Names& names) {
    const auto kept = broker.kv_get(names, standby_key);
    return kept ? readable(decode_standby, kept->text) : std::nullopt;
}

}  // namespace pgsluice
