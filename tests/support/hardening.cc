#include "tests/support/hardening.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "tests/support/certificates.h"
#include "tests/support/process.h"

namespace pgsluice::test {

namespace {

// One for all servers and clients of a process; certificates of clients are made once each.
struct Certificates {
    Authority authority;
    std::string server = authority.sign("server", "IP:127.0.0.1");
    std::string reader = authority.sign("reader", "DNS:reader");
    std::string writer = authority.sign("writer", "DNS:writer");
    std::string nats = authority.sign("nats", "DNS:nats");
};

const Certificates& certificates() {
    static const Certificates all;
    return all;
}

const std::string& key_file() {
    static const std::string path = [] {
        const std::string file = temporary_directory("hardened") + "/stream.keys";
        std::ofstream(file) << "k1:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\n";
        std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        return file;
    }();
    return path;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

}  // namespace

bool hardened_by_environment() { return std::getenv("PGSLUICE_TEST_HARDENED") != nullptr; }

HardenedPostgres harden_postgres(const std::string& directory) {
    for (const char* ending : {".crt", ".key"})
        std::filesystem::copy_file(certificates().server + ending, directory + "/server" + ending);
    std::filesystem::copy_file(certificates().authority.file(), directory + "/ca.crt");
    std::filesystem::permissions(directory + "/server.key",
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return {fmt::format("ssl = on\nssl_cert_file = '{0}/server.crt'\nssl_key_file = '{0}/server.key'\nssl_ca_file = "
                        "'{0}/ca.crt'\n",
                        directory),
            "hostssl all reader,writer all cert\nhost all reader,writer all reject\nlocal all all trust\n"
            "host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n"};
}

std::string create_hardened_roles() {
    return "CREATE ROLE app; CREATE ROLE reader LOGIN REPLICATION; CREATE ROLE writer LOGIN; GRANT app TO reader; "
           "DO $$BEGIN IF current_setting('server_version_num')::int >= 150000 THEN "
           "EXECUTE 'GRANT SET ON PARAMETER session_replication_role TO writer'; END IF; END$$";
}

std::string hand_over(const std::string& database) {
    return fmt::format(R"(
DO $do$
DECLARE
    made record;
BEGIN
    GRANT CREATE ON DATABASE {0} TO reader, writer;
    FOR made IN SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'pgsluice') LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO app, reader, writer', made.nspname);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA %I TO writer', made.nspname);
        EXECUTE format('GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA %I TO writer', made.nspname);
    END LOOP;
    FOR made IN
        SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgsluice')
            AND pg_get_userbyid(c.relowner) = 'postgres'
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO app', made.name);
    END LOOP;
END
$do$)",
                       database);
}

std::string harden_nats(const std::string& group) {
    std::ifstream file(PGSLUICE_SOURCE_DIR "/examples/nats-permissions.conf");
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (text.empty()) throw std::runtime_error("unable to read examples/nats-permissions.conf");
    replace_all(text, "_shop", "_" + group);
    replace_all(text, ".shop", "." + group);
    for (const char* role : {"REPLICATOR", "WORKER", "VIEWER", "OPERATOR"})
        replace_all(text, fmt::format("$PGSLUICE_{}_PASSWORD", role), "secret");
    return fmt::format("tls {{ cert_file: \"{0}.crt\", key_file: \"{0}.key\", ca_file: \"{1}\", verify: true }}\n{2}",
                       certificates().server, certificates().authority.file(), text);
}

std::string hardened_postgres_url(const std::string& user, int port, const std::string& database) {
    const std::string& client = user == "reader" ? certificates().reader : certificates().writer;
    return fmt::format(
        "postgresql://{0}@127.0.0.1:{1}/{2}?sslmode=verify-full&sslrootcert={3}&sslcert={4}.crt&sslkey={4}.key", user,
        port, database, certificates().authority.file(), client);
}

std::vector<std::string> hardened_nats_flags(const std::string& role, int port) {
    const std::string& client = certificates().nats;
    return {"--nats-url",        fmt::format("tls://{}:secret@127.0.0.1:{}", role, port),
            "--nats-ca",         certificates().authority.file(),
            "--nats-cert",       client + ".crt",
            "--nats-key",        client + ".key",
            "--stream-key-file", key_file()};
}

}  // namespace pgsluice::test
