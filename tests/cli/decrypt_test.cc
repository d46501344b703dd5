// `pgsluice decrypt` reads lines and prints what they were.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

// Of "Keller", under the secret "example-secret": the example of rules/transforms/README.md.
const std::string encrypted = "RQOuoqfbBccA_igPUhtb8uAnmMv2EJs";

Finished decrypt(const std::string& lines, const std::string& secret = "example-secret") {
    const std::string directory = temporary_directory("decrypt");
    std::ofstream(directory + "/rules.yaml")
        << "secret_env: DECRYPT_SECRET\n"
           "tables: {users: [{type: transform, column: name, parameters: {type: encrypt}}]}\n";
    std::ofstream(directory + "/lines") << lines;
    return run({"bash", "-c",
                std::string("exec ") + PGSLUICE_BINARY + " decrypt --rules-config " + directory +
                    "/rules.yaml --column users.name <" + directory + "/lines"},
               {{"DECRYPT_SECRET", secret}});
}

}  // namespace

TEST_CASE("decrypt prints a line for each, and an empty one for NULL") {
    const Finished finished = decrypt(encrypted + "\n\n" + encrypted + "\n");
    CHECK(finished.code == 0);
    CHECK(finished.out == "Keller\n\nKeller\n");
}

TEST_CASE("decrypt stops at what the rule has not made") {
    const Finished altered = decrypt(encrypted + "\n" + encrypted + "A\n");
    CHECK(altered.code == 1);
    CHECK(altered.out == "Keller\n");
    CHECK(contains(altered.err, "unable to decrypt line 2: it is not what this rule makes with this secret"));
    const Finished other = decrypt(encrypted + "\n", "another secret");
    CHECK(other.code == 1);
    CHECK(other.out.empty());
    CHECK(contains(other.err, "Give the rules file and the secret that the values were made with."));
}
