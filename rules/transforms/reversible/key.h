// The key of a cipher: of the file's secret, another one for each transform, so that no column shows it.
#pragma once

#include <string>
#include <string_view>

#include "rules/transforms/transform.h"

namespace pgsluice::rules {

struct CipherKey {
    CipherKey(std::string_view transform, Fields& parameters, const TransformDefaults& defaults);
    ~CipherKey();

    std::string bytes;  // 64
    std::string proof;  // by which two are told apart
};

}  // namespace pgsluice::rules
