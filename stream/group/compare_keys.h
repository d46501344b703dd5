// How `pgsluice compare` and a worker agree on one LSN: two keys in the group's KV bucket (FORMAT.md, "Keys").
//
// `compare.<worker>` is the request, set and removed by compare; `compared.<worker>` is the worker's answer.
//
//   request            worker                                          answer
//   -----------------  ----------------------------------------------  -------
//   id, no LSN         takes nothing more                              held
//   id and LSN         applies what committed before it, nothing else  reached
//                      has already applied something above it          passed
//   removed            continues
//   stays too long     removes the request and continues               gave_up
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sql/lsn.h"
#include "stream/broker.h"
#include "stream/names.h"

namespace pgsluice {

struct CompareRequest {
    std::string id;  // made up for each attempt, so that no answer is taken for that of another one
    Lsn lsn;         // not valid: wait until it is known

    bool operator==(const CompareRequest&) const = default;
};

enum class CompareState { held, reached, passed, gave_up };

struct CompareAnswer {
    std::string id;
    CompareState state = CompareState::held;

    bool operator==(const CompareAnswer&) const = default;
};

std::string encode(const CompareRequest& request);
std::string encode(const CompareAnswer& answer);
// A stop Error when it is not one.
CompareRequest decode_compare_request(std::string_view json);
CompareAnswer decode_compare_answer(std::string_view json);

// Calls to the broker; each throws a retry Error when it does not answer.
class CompareKeys {
   public:
    CompareKeys(Broker& broker, Names names, const std::string& worker);

    [[nodiscard]] std::optional<CompareRequest> request();
    [[nodiscard]] std::optional<CompareAnswer> answer();
    void ask(const CompareRequest& request);
    void tell(const CompareAnswer& answer);
    // Removes the request, if it is still this one.
    void end(const std::string& id);
    void forget_answer();

   private:
    Broker& broker_;
    Names names_;
    std::string request_key_;
    std::string answer_key_;
};

}  // namespace pgsluice
