// `groups:` of the configuration file: what each part of `pgsluice run` gets, and what other commands find.
#include <doctest/doctest.h>

#include <fstream>

#include "cmd/cli/invocation.h"
#include "cmd/cli/parts.h"
#include "sql/error.h"
#include "tests/support/process.h"

using namespace pgsluice;

namespace {

constexpr const char* two_groups = R"(
nats-url: nats://n:4222
batch-size: 5
groups:
  shop:
    host: source1
    dbname: shop
    target-url: postgres://t1/shop
    replicator:
      copy-and-stream: true
    workers:
      - sink: postgres
        batch-size: 7
      - sink: file
        worker-name: archive
        file-output-dir: /data
        log-level: debug
  crm-eu:
    group: crm-eu
    source-url: postgres://source2/crm
    http-listen: :9187
    replicator:
)";

struct File {
    explicit File(const std::string& text) : path(test::temporary_directory("groups") + "/run.yaml") {
        std::ofstream(path) << text;
    }
    [[nodiscard]] Invocation invoke(std::vector<std::string> arguments, const Environment& environment = {}) const {
        arguments.insert(arguments.end(), {"--config", path});
        return read_invocation(arguments, environment);
    }
    [[nodiscard]] std::string refusal() const {
        try {
            static_cast<void>(invoke({"run"}));
        } catch (const Error& error) {
            CHECK(error.action() == Action::usage);
            return std::string(error.what()).substr(path.size()) + " | " + error.hint();
        }
        return "accepted";
    }
    std::string path;
};

std::string refusal(const std::string& groups) { return File("groups:\n" + groups).refusal(); }

}  // namespace

TEST_CASE("each part gets what is given for it, its group and the process, the nearest first") {
    const File file(two_groups);
    const Invocation run =
        file.invoke({"run", "--log-level", "warning"}, {{"PGSLUICE_BATCH_SIZE", "6"}, {"PGSLUICE_HOST", "elsewhere"}});
    const auto& parts = run.settings.parts;
    REQUIRE(parts.size() == 4);
    CHECK(parts[0].name == "shop replicator");
    CHECK(parts[0].settings.group == "shop");
    CHECK(parts[0].settings.replicator.source.host == "source1");
    CHECK(parts[0].settings.nats.url == "nats://n:4222");
    CHECK(parts[0].settings.replicator.mode == ReplicatorMode::copy_and_stream);
    CHECK(parts[0].settings.log.level == LogLevel::warning);
    CHECK(parts[1].name == "shop worker postgres");
    CHECK(parts[1].settings.worker.batch_size == 7);
    CHECK(parts[1].settings.postgres.target.url == "postgres://t1/shop");
    CHECK(parts[2].name == "shop worker archive");
    CHECK(parts[2].settings.worker.batch_size == 6);
    CHECK(parts[2].settings.log.level == LogLevel::debug);
    CHECK(parts[3].name == "crm-eu replicator");
    CHECK(parts[3].settings.replicator.source.url == "postgres://source2/crm");
    CHECK_FALSE(parts[3].settings.http_listen.has_value());
    REQUIRE(run.warnings.size() == 1);
    CHECK(run.warnings[0] == "'http-listen' (" + file.path +
                                 ":21) is ignored: the whole process has it, at the top of "
                                 "the file");
}

TEST_CASE("what is wrong with a group is named with its place") {
    CHECK(refusal("  shop: {}\n") == ":2: group 'shop' runs nothing | Give it 'replicator:', 'workers:' or both.");
    CHECK(refusal("  shop: {replicator: , hots: a}\n") == ":2: unknown key 'hots' | Did you mean 'host'?");
    CHECK(refusal("  shop: {replicator: {}, group: other}\n").find("is 'other', and the group's name here is 'shop'") !=
          std::string::npos);
    CHECK(refusal("  shop: {workers: [{batch-size: 1}]}\n") ==
          ":2: a worker without 'sink' | Give 'sink: postgres', or another kind.");
    CHECK(refusal("  shop: {workers: [{sink: postgers}]}\n") ==
          ":2: unknown sink 'postgers' | Give one of: stdout, file, postgres, webhook, nats.");
    CHECK(refusal("  shop: {workers: [{sink: file}]}\n")
              .starts_with(":2: worker file of group 'shop': --file-output-dir is required"));
    CHECK(refusal("  shop: {replicator: {host: a, dbname: b, port: x}}\n").find("bad value 'x' of 'port' (") !=
          std::string::npos);
    CHECK(refusal("  - shop\n").starts_with(":2: 'groups' takes a mapping"));
    CHECK(File("nats-url: nats://n\n").refusal().find("no groups to run") != std::string::npos);
}

TEST_CASE("a file that was refused is accepted once its hint is followed") {
    const auto accepted = [](const std::string& groups) { return refusal(groups) == "accepted"; };
    const std::string ends = "host: a, dbname: b, target-url: postgres://t";
    CHECK(accepted("  shop: {" + ends + ", replicator: }\n"));
    CHECK(accepted("  shop: {" + ends + ", workers: [{sink: postgres}]}\n"));
    CHECK(accepted("  shop: {" + ends + ", replicator: , workers: [{sink: postgres}, {sink: stdout}]}\n"));
    CHECK(accepted("  shop: {" + ends + ", workers: [{sink: nats}]}\n"));
}

TEST_CASE("run needs a file") {
    CHECK_THROWS_WITH_AS(read_invocation({"run"}, {}), "'run' needs a configuration file", Error);
}

TEST_CASE("other commands find their group in the file") {
    const File file(two_groups);
    const Invocation worker = file.invoke({"worker", "file", "--group", "shop"});
    CHECK(worker.settings.worker.worker == "archive");
    CHECK(worker.settings.file.output_dir == "/data");
    CHECK(worker.settings.nats.url == "nats://n:4222");
    const Invocation teardown = file.invoke({"teardown", "--group", "crm-eu"});
    CHECK(teardown.settings.replicator.source.url == "postgres://source2/crm");
    const Invocation replicator = file.invoke({"replicator", "--group", "shop", "--host", "mine"});
    CHECK(replicator.settings.replicator.source.host == "mine");
    CHECK(replicator.settings.replicator.mode == ReplicatorMode::copy_and_stream);
}

TEST_CASE("config prints the groups as the file may hold them, without secrets") {
    const File file(two_groups);
    const std::string text = file.invoke({"config"}).text;
    CHECK(text.find("\ngroups:\n  shop:  # " + file.path + ":5\n    host: source1  # ") != std::string::npos);
    CHECK(text.find("\n    workers:\n      - sink: postgres  # ") != std::string::npos);
    const File again(text);
    CHECK(again.invoke({"run"}).settings.parts.size() == 4);
}
