#include "stream/group/fitting_value.h"

namespace pgsluice {

bool put_if_it_fits(Broker& broker, const Names& names, const std::string& key, std::string_view value) {
    const bool fits = broker.takes_value(value.size());
    if (fits) {
        broker.kv_put(names, key, value);
    } else {
        broker.kv_delete(names, key);
    }
    return fits;
}

}  // namespace pgsluice
