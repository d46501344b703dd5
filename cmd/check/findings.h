// What `pgsluice check` finds, for one part of a run: the source, NATS, the target and so on.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "stream/base/log.h"

namespace pgsluice {

enum class CheckLevel : std::uint8_t {
    ok,
    skipped,  // not looked at, for what is needed was not given or may not be read
    warn,     // a run works, but not for ever, or not as one may think
    fail,     // a run would stop, or not start
};

struct CheckFinding {
    CheckLevel level = CheckLevel::ok;
    std::string part;
    std::string text;
    std::string way_out;  // a sentence; empty where the text says it, or nothing is to be done

    bool operator==(const CheckFinding&) const = default;
};

class Findings {
   public:
    explicit Findings(std::string part) : part_(std::move(part)) {}

    void ok(const std::string& text) { add(CheckLevel::ok, text, {}); }
    void skipped(const std::string& text) { add(CheckLevel::skipped, text, {}); }
    void warn(const std::string& text, const std::string& way_out = {}) { add(CheckLevel::warn, text, way_out); }
    void fail(const std::string& text, const std::string& way_out = {}) { add(CheckLevel::fail, text, way_out); }

    // Takes a step that a start takes, too, and finds in the words of the start: an Error is a failure, what the log is
    // told a warning or a thing that is well. Whether there was no Error.
    bool attempt(const std::function<void(const Log&)>& step);

    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
    [[nodiscard]] std::vector<CheckFinding> take() { return std::move(all_); }

   private:
    // What was found before is not said twice.
    void add(CheckLevel level, const std::string& text, const std::string& way_out);

    std::string part_;
    std::vector<CheckFinding> all_;
};

}  // namespace pgsluice
