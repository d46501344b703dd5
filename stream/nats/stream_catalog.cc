#include "stream/stream_catalog.h"

#include <algorithm>

#include "stream/nats/link.h"

namespace pgsluice {

namespace {

constexpr std::string_view group_prefix = "pgsluice_";

struct ListDestroyer {
    void operator()(jsStreamNamesList* list) const noexcept { jsStreamNamesList_Destroy(list); }
};

}  // namespace

StreamCatalog::StreamCatalog(const BrokerOptions& options, Log log, std::stop_token stop)
    : link_(std::make_unique<nats::Link>(options, std::move(log), std::move(stop))) {}

StreamCatalog::~StreamCatalog() = default;

std::vector<std::string> StreamCatalog::groups() const {
    jsStreamNamesList* made = nullptr;
    jsErrCode js_error{};
    const auto status = js_StreamNames(&made, link_->js(), nullptr, &js_error);
    const std::unique_ptr<jsStreamNamesList, ListDestroyer> list(made);
    std::vector<std::string> groups;
    if (status == NATS_NOT_FOUND) return groups;
    link_->check(status, "list the streams", "STREAM.NAMES", js_error);
    for (int i = 0; i < list->Count; ++i) {
        const std::string_view name = list->List[i];
        if (name.starts_with(group_prefix)) groups.emplace_back(name.substr(group_prefix.size()));
    }
    std::sort(groups.begin(), groups.end());
    return groups;
}

}  // namespace pgsluice
