// `pgsluice import` of what pg_dump 14, 16, 17 and 18 wrote (dumps/), each of a server of its own version that had run
// dumps/source.sql.

#include "tests/live/import_fixture.h"
#include "tests/support/read_file.h"

using namespace pgsluice::test;

namespace {

const std::string dumps = PGSLUICE_SOURCE_DIR "/tests/live/dumps/";

}  // namespace

TEST_CASE("dumps of other versions, as COPY and as INSERT, make the target equal to their source") {
    ImportPair pair(read_file(dumps + "source.sql"));
    for (const std::string version : {"14", "16", "17", "18"}) {
        for (const std::string form : {".sql", "-inserts.sql"}) {
            CAPTURE(version);
            CAPTURE(form);
            pair.server().sql(pair.target, "TRUNCATE users, ev, nocols, par CASCADE");
            must_succeed(pair.import({"--dump", dumps + "pg" + version + form}));
            pair.check_equal();
        }
    }
}
