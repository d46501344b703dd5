// One list of fields for reading and for writing: describe(visitor, definition) names each field of a struct once.
//
// What is absent has its default value, and the default value is not written; need() is for what is always there.
#pragma once

#include <simdjson.h>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

class DefinitionReader {
   public:
    explicit DefinitionReader(simdjson::dom::element element) : fields_(element, "a definition") {
        object_ = element.get_object().value_unsafe();
    }

    [[nodiscard]] bool has(std::string_view name) const {
        simdjson::dom::element value;
        return object_.at_key(name).get(value) == simdjson::SUCCESS && !value.is_null();
    }
    [[nodiscard]] const JsonFields& fields() const { return fields_; }
    [[nodiscard]] simdjson::dom::element at(std::string_view name) const { return object_.at_key(name).value_unsafe(); }

    template <typename T>
    void need(std::string_view name, T& value) {
        if (!has(name)) throw fields_.bad(name, "missing");
        read(name, value);
    }
    template <typename T>
    void field(std::string_view name, T& value) {
        if (has(name)) read(name, value);
    }

   private:
    void read(std::string_view name, std::string& value) { value = fields_.text(name); }
    void read(std::string_view name, bool& value) { value = fields_.boolean(name); }
    void read(std::string_view name, char& value) {
        const std::string text = fields_.text(name);
        if (text.size() != 1) throw fields_.bad(name, "not one character");
        value = text[0];
    }
    void read(std::string_view name, ReplicaIdentity& value) {
        char letter = 0;
        read(name, letter);
        if (std::string_view("dnfi").find(letter) == std::string_view::npos)
            throw fields_.bad(name, "not one of d, n, f, i");
        value = static_cast<ReplicaIdentity>(letter);
    }
    template <std::unsigned_integral T>
    void read(std::string_view name, T& value) {
        value = fields_.unsigned_number<T>(name);
    }
    template <std::signed_integral T>
    void read(std::string_view name, T& value) {
        const auto number = fields_.signed_number(name);
        if (!std::in_range<T>(number)) throw fields_.bad(name, "out of range");
        value = static_cast<T>(number);
    }
    template <typename T>
    void read(std::string_view name, std::optional<T>& value) {
        read(name, value.emplace());
    }
    void read(std::string_view name, std::vector<std::string>& value) {
        for (const auto element : fields_.array(name)) {
            std::string_view text;
            if (element.get(text) != simdjson::SUCCESS) throw fields_.bad(name, "not an array of texts");
            value.emplace_back(text);
        }
    }
    template <typename T>
    void read(std::string_view name, std::vector<T>& value) {
        for (const auto element : fields_.array(name)) {
            DefinitionReader inner(element);
            describe(inner, value.emplace_back());
        }
    }
    template <typename T>
    requires std::is_class_v<T>
    void read(std::string_view name, T& value) {
        DefinitionReader inner(at(name));
        describe(inner, value);
    }

    JsonFields fields_;
    simdjson::dom::object object_;
};

class DefinitionWriter {
   public:
    explicit DefinitionWriter(JsonText& out) : out_(out) {}

    template <typename T>
    void need(std::string_view name, const T& value) {
        out_.key(name);
        write(value);
    }
    template <typename T>
    void field(std::string_view name, const T& value) {
        if (!(value == T{})) need(name, value);
    }

   private:
    void write(const std::string& value) { out_.text(value); }
    void write(bool value) { out_.boolean(value); }
    void write(char value) { out_.text({&value, 1}); }
    void write(ReplicaIdentity value) { write(static_cast<char>(value)); }
    template <std::integral T>
    void write(T value) {
        out_.number(value);
    }
    template <typename T>
    void write(const std::optional<T>& value) {
        write(*value);
    }
    template <typename T>
    void write(const std::vector<T>& value) {
        out_.raw('[');
        for (bool first = true; const T& element : value) {
            if (!std::exchange(first, false)) out_.raw(',');
            write(element);
        }
        out_.raw(']');
    }
    template <typename T>
    requires std::is_class_v<T>
    void write(const T& value) {
        out_.raw('{');
        describe(*this, value);
        out_.raw('}');
    }

    JsonText& out_;
};

}  // namespace pgsluice
