// A group whose NATS wants client certificates: given by flag, by variable and by file.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/certificates.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

TEST_CASE("client certificates for every command, as flags, environment and configuration file") {
    const Authority authority;
    const std::string server = authority.sign("server", "IP:127.0.0.1");
    const std::string client = authority.sign("client", "DNS:client");
    NatsServer nats({.extra_config = "tls { cert_file: \"" + server + ".crt\", key_file: \"" + server +
                                     ".key\", ca_file: \"" + authority.file() + "\", verify: true }"});
    Pipeline pipeline({shared_postgres(), shared_postgres(), nats});
    pipeline.on_both("CREATE TABLE t (id int PRIMARY KEY)");
    pipeline.on_source("INSERT INTO t VALUES (1)");
    pipeline.start_replicator({"--copy-and-stream", "--nats-ca", authority.file(), "--nats-cert", client + ".crt",
                               "--nats-key", client + ".key"});
    pipeline.start_worker({}, {{"PGSLUICE_NATS_CA", authority.file()},
                               {"PGSLUICE_NATS_CERT", client + ".crt"},
                               {"PG_FLO_NATS_KEY", client + ".key"}});
    pipeline.check_equal({"t"});

    const std::string config = temporary_directory("nats_tls") + "/pgsluice.yaml";
    std::ofstream(config) << "group: " << pipeline.group() << "\nnats-url: tls://127.0.0.1:" << nats.port()
                          << "\nnats-ca: " << authority.file() << "\nnats-cert: " << client
                          << ".crt\nnats-key: " << client << ".key\n";
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"status", "--raw"}, {"tables"}, {"dlq", "list"}, {"repair"}, {"forget", "--worker-name", "gone"}}) {
        std::vector<std::string> argv = words;
        argv.insert(argv.begin(), PGSLUICE_BINARY);
        argv.insert(argv.end(), {"--config", config});
        CAPTURE(words.back());
        const Finished done = run(argv);
        CAPTURE(done.err);
        CHECK_FALSE(contains(done.err, "certificate"));
        CHECK_FALSE(contains(done.err, "unable to connect"));
        CHECK((done.code == 0 || words.front() == "forget"));
    }
    const Finished without = run({PGSLUICE_BINARY, "status", "--group", pipeline.group(), "--nats-url",
                                  "tls://127.0.0.1:" + std::to_string(nats.port()), "--nats-ca", authority.file()});
    CHECK(without.code == 2);
    CHECK(contains(without.err, "the server refuses TLS without a certificate of ours"));
    pipeline.stop();
}
