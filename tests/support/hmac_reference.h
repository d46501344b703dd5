// HMAC-SHA-256 as the standards write it down (RFC 2104, FIPS 180-4), to compare with; no key longer than a block.
#pragma once

#include <string>

namespace pgsluice::rules_test {

// In lower-case hex.
std::string hmac_hex(const std::string& key, const std::string& text);

}  // namespace pgsluice::rules_test
