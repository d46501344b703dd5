// Which DDL messages are the group's: those that its record announces (stream/group/ddl_record.h). Any other was
// published by someone else.
#pragma once

#include <optional>
#include <string>

#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/change.h"
#include "stream/group/ddl_record.h"

namespace pgsluice {

class DdlGate {
   public:
    // `executes`: the sink runs the commands, so without a record it must not be handed any.
    DdlGate(Broker& broker, Names names, bool executes, const Log& log);

    // False, with a warning, for a message that the group does not announce. A stop Error when the sink would execute
    // it and there is no record.
    bool lets_pass(const Change& change, StreamSeq message);

   private:
    Broker& broker_;
    Names names_;
    bool executes_;
    const Log& log_;
    std::optional<DdlRecord> record_;  // read again when it says no: tracking may have begun since
};

}  // namespace pgsluice
