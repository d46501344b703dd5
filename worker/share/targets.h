// Which tables fill a target's table, where shares go by table: those of one must all be in one share. In different
// ones their rows would not stay in order, and a truncate or a snapshot could not tell them apart.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "stream/change.h"
#include "stream/share/share.h"

namespace pgsluice {

class SharedTargets {
   public:
    // Where the routes alone send the table's rows; nothing: nowhere.
    using TargetOf = std::function<std::optional<QualifiedName>(const Relation&)>;

    SharedTargets(const Share& share, TargetOf target_of);

    // A stop Error when a table that was added before fills the same, and is in another share.
    void add(const Relation& table);

   private:
    struct Filled {
        Oid by = 0;
        QualifiedName name;
        std::uint32_t share = 0;
    };

    const Share share_;
    const TargetOf target_of_;
    std::map<std::pair<std::string, std::string>, Filled> filled_;
};

}  // namespace pgsluice
