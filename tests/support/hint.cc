#include "tests/support/hint.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/text.h"

namespace pgsluice::test {

std::string hint_in(const std::string& err) {
    const auto at = err.rfind("HINT: ");
    if (at == std::string::npos) return "";
    const auto begin = at + std::string("HINT: ").size();
    return err.substr(begin, err.find('\n', begin) - begin);
}

std::string said(const std::string& hint, const std::string& begin, const std::string& end) {
    const auto from = hint.find(begin);
    CAPTURE(hint);
    REQUIRE(from != std::string::npos);
    const auto to = end.empty() ? std::string::npos : hint.find(end, from + begin.size());
    return hint.substr(from, to == std::string::npos ? to : to - from);
}

Finished run_said(const Pipeline& pipeline, const std::string& command) {
    const PipelineServers servers = shared_servers();
    const std::string programs = std::filesystem::path(PGSLUICE_BINARY).parent_path().string();
    const Finished done =
        run({"/bin/sh", "-c", command}, {{"PATH", programs + ":/usr/bin:/bin"},
                                         {"PGSLUICE_GROUP", pipeline.group()},
                                         {"PGSLUICE_NATS_URL", servers.nats.url()},
                                         {"PGSLUICE_SOURCE_URL", servers.source.url(pipeline.source_db())},
                                         {"PGSLUICE_TARGET_URL", servers.target.url(pipeline.target_db())}});
    INFO(command << "\n" << done.err);
    CHECK(done.code == 0);
    return done;
}

namespace {

std::string checked(int code, const std::string& err, const std::string& part) {
    std::string hint = hint_in(err);
    INFO(err);
    CHECK((code == 1 || code == 4));  // to be changed by someone, or tried again
    CHECK(contains(hint, part));
    return hint;
}

}  // namespace

std::string refusal(const std::vector<std::string>& argv, const std::string& part) {
    const Finished refused = run(argv);
    return checked(refused.code, refused.err, part);
}

std::string refusal(Process& process, const std::string& part) {
    const int code = process.wait();
    return checked(code, process.err(), part);
}

}  // namespace pgsluice::test
