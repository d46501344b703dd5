#include "sql/pipeline.h"

#include <libpq-fe.h>

#include <charconv>
#include <stdexcept>

namespace pgsluice::sql {

namespace {

// How much libpq may hold unsent before we flush.
constexpr std::size_t max_unsent_bytes = 256 * 1024;

std::int64_t integer_or_zero(const char* text) {
    std::int64_t value = 0;
    const std::string_view digits(text == nullptr ? "" : text);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

}  // namespace

Pipeline::Pipeline(Connection& connection) : connection_(connection) {
    if (PQenterPipelineMode(connection_.raw()) == 0) throw connection_.error("start a pipeline");
}

Pipeline::~Pipeline() {
    // Fails when answers are outstanding: an exception is then being thrown and the connection can only be closed.
    PQexitPipelineMode(connection_.raw());
}

std::size_t Pipeline::sent(int accepted, std::size_t bytes) {
    if (accepted == 0) throw connection_.error("queue a statement");
    unsent_bytes_ += bytes;
    if (unsent_bytes_ > max_unsent_bytes) {
        // Otherwise the server keeps its answers until the sync.
        PQsendFlushRequest(connection_.raw());
        connection_.flush();
        unsent_bytes_ = 0;
    }
    return queued_++;
}

std::size_t Pipeline::prepare(const std::string& name, const std::string& statement) {
    return sent(PQsendPrepare(connection_.raw(), name.c_str(), statement.c_str(), 0, nullptr), statement.size());
}

std::size_t Pipeline::run(const std::string& statement) {
    return sent(PQsendQueryParams(connection_.raw(), statement.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0),
                statement.size());
}

std::size_t Pipeline::execute(const std::string& name, std::span<const WireParam> params) {
    values_.clear();
    lengths_.clear();
    formats_.clear();
    std::size_t bytes = name.size();
    for (const WireParam& param : params) {
        values_.push_back(param.data);
        lengths_.push_back(param.size);
        formats_.push_back(param.binary ? 1 : 0);
        bytes += static_cast<std::size_t>(param.size) + 8;
    }
    return sent(PQsendQueryPrepared(connection_.raw(), name.c_str(), static_cast<int>(params.size()), values_.data(),
                                    lengths_.data(), formats_.data(), 0),
                bytes);
}

void Pipeline::read_reply(Reply& reply, std::size_t index) {
    std::optional<Result> result = connection_.next_result();
    if (!result) throw connection_.error("read a pipeline's answers");
    while (result) {
        switch (PQresultStatus(result->raw())) {
            case PGRES_TUPLES_OK:
                if (result->rows() > 0 && result->columns() > 0)
                    reply.value = integer_or_zero(PQgetvalue(result->raw(), 0, 0));
                [[fallthrough]];
            case PGRES_COMMAND_OK:
                reply.affected = integer_or_zero(PQcmdTuples(result->raw()));
                break;
            case PGRES_PIPELINE_ABORTED:
                reply.kind = Reply::Kind::skipped;
                break;
            default:
                reply.kind = Reply::Kind::failed;
                failure_ = connection_.error("run a statement on the " + connection_.options().role, &*result);
                failed_index_ = index;
        }
        if (failure_ && failure_->sqlstate().empty()) throw *failure_;  // the connection is lost
        result = connection_.next_result();
    }
}

std::span<const Reply> Pipeline::sync() {
    failure_.reset();
    if (PQpipelineSync(connection_.raw()) == 0) throw connection_.error("end a pipeline");
    connection_.flush();
    replies_.assign(queued_, Reply{});
    for (std::size_t i = 0; i < queued_; ++i) read_reply(replies_[i], i);
    const auto synced = connection_.next_result();
    if (!synced || PQresultStatus(synced->raw()) != PGRES_PIPELINE_SYNC) throw connection_.error("end a pipeline");
    queued_ = 0;
    unsent_bytes_ = 0;
    return replies_;
}

}  // namespace pgsluice::sql
