#include "sinks/postgres/apply/statement_parameters.h"

#include <algorithm>
#include <stdexcept>

namespace pgsluice {

namespace {

constexpr std::size_t max_kept_bytes = 4U << 20;  // of a buffer that is used again

}  // namespace

void StatementParameters::begin() {
    if (texts_.capacity() > max_kept_bytes) texts_ = {};  // a huge value went through
    texts_.clear();
    offsets_.clear();
}

void StatementParameters::add(const Value& value) {
    if (value.is_unchanged()) throw std::logic_error("an unchanged value has no place in a statement");
    if (value.is_null()) {
        offsets_.push_back(-1);
        return;
    }
    offsets_.push_back(static_cast<std::ptrdiff_t>(texts_.size()));
    texts_.append(value.text());
    texts_.push_back('\0');
}

void StatementParameters::add_row(const Statement& statement, Row row, Row key_row) {
    for (const int column : statement.values) add(row[static_cast<std::size_t>(column)]);
    for (const int column : statement.keys) add(key_row[static_cast<std::size_t>(column)]);
}

std::span<const sql::WireParam> StatementParameters::values() {
    params_.clear();
    for (const std::ptrdiff_t offset : offsets_)
        params_.push_back({offset < 0 ? nullptr : texts_.data() + offset, 0, false});
    return params_;
}

std::size_t StatementParameters::collect(const Statement& statement, std::span<const Row> rows) {
    const std::size_t columns = statement.values.size() + statement.keys.size();
    if (arrays_.size() < columns) arrays_.resize(columns);
    for (std::size_t i = 0; i < columns; ++i)
        arrays_[i].start(statement.forms.empty() ? BinaryForm::text : statement.forms[i]);
    std::size_t done = 0;
    for (std::size_t bytes = 0; done < rows.size() && done < max_rows && bytes < max_bytes; ++done) {
        bytes = 0;
        std::size_t array = 0;
        const auto add = [&](int column) {
            const bool has_form = arrays_[array].add(rows[done][static_cast<std::size_t>(column)]);
            bytes += arrays_[array++].bytes();
            return has_form;
        };
        if (!std::all_of(statement.values.begin(), statement.values.end(), add)) return 0;
        if (!std::all_of(statement.keys.begin(), statement.keys.end(), add)) return 0;
    }
    count_ = std::to_string(done);
    return done;
}

std::span<const sql::WireParam> StatementParameters::arrays(const Statement& statement, bool counted) {
    params_.clear();
    for (std::size_t i = 0; i < statement.values.size() + statement.keys.size(); ++i) {
        const std::string_view bytes = arrays_[i].finish();
        params_.push_back({bytes.data(), static_cast<int>(bytes.size()), true});
    }
    if (counted) params_.push_back({count_.c_str(), 0, false});
    return params_;
}

}  // namespace pgsluice
