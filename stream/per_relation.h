// Things compiled per relation version, kept under the relation's address.
//
// That is safe because no address is used for two relations: a relation whose changes reach a sink lives until the
// session ends (sinks/sink.h). The one used last is found without a look-up, since changes of one table come in runs.
#pragma once

#include <unordered_map>
#include <utility>

#include "stream/change.h"

namespace pgsluice {

template <typename Compiled>
class PerRelation {
   public:
    // What `make()` returned when the relation was first seen; nothing is kept when it throws. The reference is valid
    // until clear().
    template <typename Make>
    Compiled& at(const Relation& relation, Make&& make) {
        if (Compiled* known = find(relation)) return *known;
        return remember(relation, compiled_.emplace(&relation, std::forward<Make>(make)()).first->second);
    }
    Compiled& at(const Relation& relation) {
        return at(relation, [&] { return Compiled(relation); });
    }
    // Null when the relation was not seen.
    Compiled* find(const Relation& relation) {
        if (&relation == last_) return current_;
        const auto known = compiled_.find(&relation);
        return known == compiled_.end() ? nullptr : &remember(relation, known->second);
    }
    void clear() {
        compiled_.clear();
        last_ = nullptr;
    }

   private:
    Compiled& remember(const Relation& relation, Compiled& compiled) {
        last_ = &relation;
        current_ = &compiled;
        return compiled;
    }

    std::unordered_map<const Relation*, Compiled> compiled_;
    const Relation* last_ = nullptr;
    Compiled* current_ = nullptr;
};

}  // namespace pgsluice
