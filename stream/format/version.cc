#include "stream/format/version.h"

#include <fmt/format.h>

#include "sql/error.h"
#include "stream/format/json_fields.h"

namespace pgsluice {

std::optional<WrittenFormat> written_format(std::string_view group_info) {
    try {
        return with_json_fields(group_info, "a group marker", [](const JsonFields& fields) {
            WrittenFormat format;
            if (fields.has("format")) format.version = fields.unsigned_number<std::uint32_t>("format");
            if (fields.has("program_version")) format.program_version = fields.text("program_version");
            return format;
        });
    } catch (const Error&) {
        return std::nullopt;
    }
}

void require_known_format(const std::string& group, std::string_view group_info) {
    const auto format = written_format(group_info);
    if (!format || format->version <= format_version) return;
    throw stop_error(fmt::format("unable to use group '{}': pgsluice {} writes its stream in format {}, and this "
                                 "program knows formats up to {}",
                                 group, format->program_version, format->version, format_version),
                     fmt::format("Use pgsluice {} or later.", format->program_version));
}

}  // namespace pgsluice
