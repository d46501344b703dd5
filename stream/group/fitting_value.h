// Values of the group's bucket that grow with the source's catalog, and may be too large for one message.
#pragma once

#include <string>
#include <string_view>

#include "stream/broker.h"
#include "stream/names.h"

namespace pgsluice {

// False where it does not fit: then no older one is left either.
bool put_if_it_fits(Broker& broker, const Names& names, const std::string& key, std::string_view value);

}  // namespace pgsluice
