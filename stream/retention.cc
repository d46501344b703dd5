#include "stream/retention.h"

namespace pgsluice {

void Retention::note(StreamSeq last, Time now) {
    if (!marks_.empty() && (now - marks_.back().at < retain_ / marks_per_period || marks_.back().last == last)) return;
    marks_.push_back({last, now});
}

StreamSeq Retention::retained_from(Time now) {
    while (!marks_.empty() && now - marks_.front().at >= retain_) {
        retained_from_ = {marks_.front().last.value + 1};
        marks_.pop_front();
    }
    return retained_from_;
}

}  // namespace pgsluice
