#include "stream/nats/copies.h"

#include <span>

namespace pgsluice::nats {

std::string copies_away(const jsStreamInfo& info) {
    std::string names;
    if (info.Cluster == nullptr) return names;
    for (const jsPeerInfo* copy :
         std::span(info.Cluster->Replicas, static_cast<std::size_t>(info.Cluster->ReplicasLen)))
        if (copy->Offline || !copy->Current) names += (names.empty() ? "" : ", ") + std::string(copy->Name);
    return names;
}

}  // namespace pgsluice::nats
