#include "stream/group/compare_keys.h"

#include <array>
#include <utility>

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"
#include "stream/group/readable.h"

namespace pgsluice {

namespace {

constexpr std::array<std::pair<CompareState, std::string_view>, 4> compare_state_names{
    {{CompareState::held, "held"},
     {CompareState::reached, "reached"},
     {CompareState::passed, "passed"},
     {CompareState::gave_up, "gave_up"}}};

std::string_view name_of(CompareState state) {
    for (const auto& [known, name] : compare_state_names) {
        if (known == state) return name;
    }
    return "";
}

}  // namespace

std::string encode(const CompareRequest& request) {
    JsonText out;
    out.raw('{');
    out.text("id", request.id);
    if (request.lsn.valid()) out.lsn("lsn", request.lsn);
    out.raw('}');
    return std::string(out.view());
}

std::string encode(const CompareAnswer& answer) {
    JsonText out;
    out.raw('{');
    out.text("id", answer.id);
    out.text("state", name_of(answer.state));
    out.raw('}');
    return std::string(out.view());
}

CompareRequest decode_compare_request(std::string_view json) {
    return with_json_fields(json, "a request to compare", [](const JsonFields& fields) {
        CompareRequest request{fields.text("id"), {}};
        if (fields.has("lsn")) request.lsn = fields.lsn("lsn");
        return request;
    });
}

CompareAnswer decode_compare_answer(std::string_view json) {
    return with_json_fields(json, "an answer to compare", [](const JsonFields& fields) {
        CompareAnswer answer{fields.text("id"), {}};
        const std::string wanted = fields.text("state");
        for (const auto& [state, name] : compare_state_names) {
            answer.state = state;
            if (name == wanted) return answer;
        }
        throw fields.bad("state", "not a state");
    });
}

CompareKeys::CompareKeys(Broker& broker, Names names, const std::string& worker)
    : broker_(broker), names_(std::move(names)), request_key_("compare." + worker), answer_key_("compared." + worker) {}

std::optional<CompareRequest> CompareKeys::request() {
    const auto value = broker_.kv_get(names_, request_key_);
    if (!value) return std::nullopt;
    return readable(decode_compare_request, value->text);
}

std::optional<CompareAnswer> CompareKeys::answer() {
    const auto value = broker_.kv_get(names_, answer_key_);
    if (!value) return std::nullopt;
    return readable(decode_compare_answer, value->text);
}

void CompareKeys::ask(const CompareRequest& request) { broker_.kv_put(names_, request_key_, encode(request)); }

void CompareKeys::tell(const CompareAnswer& answer) { broker_.kv_put(names_, answer_key_, encode(answer)); }

void CompareKeys::end(const std::string& id) {
    const auto now = request();
    if (now && now->id == id) broker_.kv_delete(names_, request_key_);
}

void CompareKeys::forget_answer() { broker_.kv_delete(names_, answer_key_); }

}  // namespace pgsluice
