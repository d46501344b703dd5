#include "tests/crash/source_log.h"

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace pgsluice::test {
namespace {

// "table public.items: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 name[text]:'x'"
CommittedChange parse(std::uint32_t xid, std::string_view text) {
    constexpr std::string_view start = "table public.";
    constexpr std::string_view new_tuple = "new-tuple: ";
    const auto colon = text.find(": ");
    const auto second = text.find(':', colon + 2);
    if (!text.starts_with(start) || colon == std::string_view::npos || second == std::string_view::npos)
        throw std::runtime_error("unable to read test_decoding's '" + std::string(text) + "'");
    CommittedChange change;
    change.xid = xid;
    change.table = text.substr(start.size(), colon - start.size());
    change.type = text.substr(colon + 2, second - colon - 2);
    if (change.type == "TRUNCATE") return change;
    auto row = text.substr(second + 1);
    if (const auto at = row.find(new_tuple); at != std::string_view::npos) row.remove_prefix(at + new_tuple.size());
    change.key = std::strtoll(std::string(row.substr(row.find("]:") + 2, 20)).c_str(), nullptr, 10);
    return change;
}

}  // namespace

std::string to_string(const CommittedChange& change) {
    return change.type + " of " + change.table + " " + std::to_string(change.key) + " in transaction " +
           std::to_string(change.xid);
}

SourceLog::SourceLog(PostgresServer& server, std::string database) : server_(server), database_(std::move(database)) {
    begin_ = parse_lsn(server_.scalar(database_,
                                      "SELECT lsn FROM pg_create_logical_replication_slot('source_log', "
                                      "'test_decoding')"))
                 .value();
}

// A crash of the source puts the slot back: what comes again is known by its commit's LSN.
void SourceLog::read() {
    auto options = server_.connect(database_);
    options.settings.emplace_back("application_name", "source_log");
    sql::Connection connection(std::move(options));
    while (true) {
        const auto rows =
            connection.exec("SELECT xid, left(data, 300), lsn, lsn > '" + last_commit_ +
                            "' FROM pg_logical_slot_get_changes('source_log', NULL, 50000, 'skip-empty-xacts', '1')");
        if (rows.rows() == 0) return;
        std::size_t complete = changes_.size();
        for (int row = 0; row < rows.rows(); ++row) {
            const std::string data = rows.text(row, 1);
            if (data.starts_with("BEGIN ")) continue;
            if (data.starts_with("COMMIT ")) {
                if (!rows.boolean(row, 3)) {
                    changes_.resize(complete);
                    continue;
                }
                complete = changes_.size();
                last_commit_ = rows.text(row, 2);
            } else if (data.starts_with("table ")) {
                changes_.push_back(parse(static_cast<std::uint32_t>(rows.integer(row, 0)), data));
            }
        }
    }
}

}  // namespace pgsluice::test
