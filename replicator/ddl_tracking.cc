#include "replicator/ddl_tracking.h"

#include "replicator/source/ddl_capture.h"
#include "replicator/source/recovery.h"
#include "stream/group/ddl_record.h"

namespace pgsluice {

void DdlTracking::prepare(sql::Connection& source, const ReplicatorOptions& options, bool in_recovery, const Log& log) {
    if (options.track_ddl) {
        check_ddl_on_standby(source);
        prefixes_ = ensure_ddl_capture(source, options.names, ddl_scope_of(options), log);
    } else if (!in_recovery && !ddl_capture_objects(source, options.names).empty()) {
        was_captured_ = true;
        end_ddl_capture(source, options.names, log);
    }
}

void DdlTracking::announce(Broker& broker, const Names& names, const std::optional<StreamState>& stream) const {
    const auto before = stream ? find_ddl_record(broker, names) : std::nullopt;
    DdlRecord record{!prefixes_.none(), before ? before->until : StreamSeq{0}};
    if (!record.tracked && stream && (was_captured_ || (before && before->tracked)))
        record.until = stream->last_seq;  // what is in the stream was tracked
    remember_ddl(broker, names, record);
}

}  // namespace pgsluice
