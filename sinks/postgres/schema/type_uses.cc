#include "sinks/postgres/schema/type_uses.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgsluice {

namespace {

std::string plain(std::string_view text) {
    std::string name;
    for (const char c : text)
        if (c != '"') name += c;
    return name;
}

// "s.mood" of "s.mood[]" and "s.mood(3)", without quotes: a name too many only makes a type look more used.
std::string type_name(std::string_view text) { return plain(text.substr(0, text.find_first_of("[("))); }

std::vector<std::string> parts_of(const TypeDefinition& type) {
    std::vector<std::string> names;
    for (const AttributeDefinition& attribute : type.attributes) names.push_back(type_name(attribute.type));
    for (const std::string& part : {type.base, type.subtype})
        if (!part.empty()) names.push_back(type_name(part));
    return names;
}

class TypeUses {
   public:
    explicit TypeUses(const DefinitionMessage& message) {
        for (const DefinitionChange& change : message.objects)
            if (const auto* type = std::get_if<TypeDefinition>(&*change.after)) note(*type);
        for (const DefinitionChange& change : message.objects)
            if (const auto* table = std::get_if<TableDefinition>(&*change.after)) note(change.oid, *table);
    }
    [[nodiscard]] std::vector<TypeUse> of(const TypeDefinition& type) const {
        const auto found = uses_.find(type.schema + "." + type.name);
        return found == uses_.end() ? std::vector<TypeUse>{} : found->second;
    }

   private:
    void note(const TypeDefinition& type) {
        parts_[type.schema + "." + type.name] = parts_of(type);
        // A multirange is used as its range.
        if (!type.multirange.empty()) parts_[type_name(type.multirange)] = {type.schema + "." + type.name};
    }

    void note(Oid oid, const TableDefinition& table) {
        std::map<std::string, std::vector<std::string>> columns;  // by type
        for (const ColumnDefinition& column : table.columns)
            for (const std::string& type : reached_from(type_name(column.type))) columns[type].push_back(column.name);
        for (auto& [type, names] : columns)
            uses_[type].push_back({{oid, table.schema, table.name}, table.ancestors, std::move(names)});
    }

    [[nodiscard]] std::set<std::string> reached_from(const std::string& type) const {
        std::set<std::string> reached{type};
        std::vector<std::string> next{type};
        while (!next.empty()) {
            const auto found = parts_.find(next.back());
            next.pop_back();
            if (found == parts_.end()) continue;
            for (const std::string& part : found->second)
                if (reached.insert(part).second) next.push_back(part);
        }
        return reached;
    }

    std::map<std::string, std::vector<std::string>> parts_;
    std::map<std::string, std::vector<TypeUse>> uses_;
};

}  // namespace

void note_uses(DefinitionMessage& message) {
    const TypeUses uses(message);
    for (DefinitionChange& change : message.objects)
        if (const auto* type = std::get_if<TypeDefinition>(&*change.after)) change.used_by = uses.of(*type);
}

}  // namespace pgsluice
