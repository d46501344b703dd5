// That a pipeline's source and target come to say and hold the same: catalogs and rows of schema public.
#pragma once

#include <chrono>

#include "tests/support/pipeline.h"

namespace pgsluice::test {

// Waits for it, for tables that joined may still be copied; fails the test with the difference and the processes'
// messages. Nothing may be written meanwhile.
void await_same_databases(Pipeline& pipeline, std::chrono::seconds limit = std::chrono::seconds(120));

}  // namespace pgsluice::test
