// Whether a column takes a rule: tried with the rules' own reader and compiler, under a secret that is made up for it.
#pragma once

#include <string>

#include "stream/change.h"

namespace pgsluice::rules {

class Trial {
   public:
    Trial();
    ~Trial();
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;

    // `rule` in YAML's flow style.
    [[nodiscard]] bool takes(const RelationPtr& relation, const std::string& rule) const;

   private:
    int secret_;  // a file in memory
};

}  // namespace pgsluice::rules
