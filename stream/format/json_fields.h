// Typed access to a parsed JSON object: the bodies of markers, relations and registry entries.
//
// A field that is missing or of another type throws a stop Error that names the field and what was being read.
#pragma once

#include <fmt/format.h>
#include <simdjson.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "sql/error.h"
#include "sql/lsn.h"

namespace pgsluice {

class JsonFields {
   public:
    // `what` for messages, "a progress marker"; must outlive this.
    JsonFields(simdjson::dom::element element, std::string_view what) : what_(what) {
        if (element.get(object_) != simdjson::SUCCESS) throw bad("", "not an object");
    }

    [[nodiscard]] bool has(std::string_view name) const { return object_.at_key(name).error() == simdjson::SUCCESS; }

    template <typename T>
    [[nodiscard]] T unsigned_number(std::string_view name) const {
        std::uint64_t value = 0;
        if (at(name).get(value) != simdjson::SUCCESS || value > std::numeric_limits<T>::max()) {
            throw bad(name, "not a number in range");
        }
        return static_cast<T>(value);
    }
    [[nodiscard]] std::int64_t signed_number(std::string_view name) const {
        std::int64_t value = 0;
        if (at(name).get(value) != simdjson::SUCCESS) throw bad(name, "not a whole number");
        return value;
    }
    [[nodiscard]] bool boolean(std::string_view name) const {
        bool value = false;
        if (at(name).get(value) != simdjson::SUCCESS) throw bad(name, "not a boolean");
        return value;
    }
    // A JSON string or {"hex":"..."}.
    [[nodiscard]] std::string text(std::string_view name) const;
    [[nodiscard]] Lsn lsn(std::string_view name) const;
    // A nested object.
    [[nodiscard]] JsonFields object(std::string_view name) const { return {at(name), what_}; }
    [[nodiscard]] simdjson::dom::array array(std::string_view name) const {
        simdjson::dom::array value;
        if (at(name).get(value) != simdjson::SUCCESS) throw bad(name, "not an array");
        return value;
    }

    [[nodiscard]] Error bad(std::string_view name, std::string_view reason) const {
        if (name.empty()) return stop_error(fmt::format("unable to read {}: {}", what_, reason));
        return stop_error(fmt::format("unable to read {}: field '{}' is {}", what_, name, reason));
    }

   private:
    [[nodiscard]] simdjson::dom::element at(std::string_view name) const {
        simdjson::dom::element value;
        if (object_.at_key(name).get(value) != simdjson::SUCCESS) throw bad(name, "missing");
        return value;
    }

    simdjson::dom::object object_;
    std::string_view what_;
};

// Parses the whole text, which must be one object, and calls `read(fields)`.
template <typename Read>
auto with_json_fields(std::string_view json, std::string_view what, Read read) {
    simdjson::dom::parser parser;
    simdjson::dom::element element;
    if (const auto error = parser.parse(json.data(), json.size()).get(element); error != simdjson::SUCCESS) {
        throw stop_error(fmt::format("unable to read {}: {}", what, simdjson::error_message(error)));
    }
    return read(JsonFields(element, what));
}

}  // namespace pgsluice
