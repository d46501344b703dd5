#include <fmt/format.h>
#include <libpq-fe.h>

#include <charconv>
#include <stdexcept>

#include "sql/connection.h"

namespace pgsluice::sql {

void Result::clear(pg_result* result) noexcept { PQclear(result); }

int Result::rows() const noexcept { return PQntuples(raw()); }
int Result::columns() const noexcept { return PQnfields(raw()); }

std::optional<std::string_view> Result::get(int row, int column) const {
    if (row < 0 || row >= rows() || column < 0 || column >= columns()) {
        throw std::logic_error(fmt::format("no value at row {}, column {} of a result", row, column));
    }
    if (PQgetisnull(raw(), row, column) != 0) return std::nullopt;
    return std::string_view(PQgetvalue(raw(), row, column), static_cast<std::size_t>(PQgetlength(raw(), row, column)));
}

std::string Result::text(int row, int column) const {
    const auto value = get(row, column);
    if (!value) throw std::logic_error(fmt::format("NULL at row {}, column {} of a result", row, column));
    return std::string(*value);
}

std::int64_t Result::integer(int row, int column) const {
    const std::string value = text(row, column);
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (problem != std::errc{} || end != value.data() + value.size()) {
        throw std::logic_error(fmt::format("no integer at row {}, column {} of a result", row, column));
    }
    return number;
}

std::vector<std::string> Result::texts(int column) const {
    std::vector<std::string> all;
    for (int row = 0; row < rows(); ++row) all.push_back(text(row, column));
    return all;
}

bool Result::boolean(int row, int column) const {
    const std::string value = text(row, column);
    if (value != "t" && value != "f") {
        throw std::logic_error(fmt::format("no boolean at row {}, column {} of a result", row, column));
    }
    return value == "t";
}

std::int64_t Result::affected() const {
    const std::string_view digits = PQcmdTuples(raw());
    std::int64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

}  // namespace pgsluice::sql
