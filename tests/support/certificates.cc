#include "tests/support/certificates.h"

#include <fstream>
#include <stdexcept>

#include "tests/support/process.h"

namespace pgsluice::test {

namespace {

void openssl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "openssl");
    const Finished done = run(std::move(arguments));
    if (done.code != 0) throw std::runtime_error("unable to make a certificate: " + done.err);
}

}  // namespace

Authority::Authority() : directory_(temporary_directory("authority")) {
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=authority", "-keyout", directory_ + "/ca.key", "-out", file()});
}

std::string Authority::file() const { return directory_ + "/ca.crt"; }

std::string Authority::sign(const std::string& common_name, const std::string& name) const {
    const std::string path = directory_ + "/" + common_name;
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
             "/CN=" + common_name, "-keyout", path + ".key", "-out", path + ".csr"});
    std::ofstream(path + ".ext") << "subjectAltName=" << name << "\n";
    openssl({"x509", "-req", "-in", path + ".csr", "-CA", file(), "-CAkey", directory_ + "/ca.key", "-CAcreateserial",
             "-days", "2", "-extfile", path + ".ext", "-out", path + ".crt"});
    return path;
}

}  // namespace pgsluice::test
