// The PostgreSQL whose programs the tests' servers run: the newest under /usr/lib/postgresql, unless
// PGSLUICE_TEST_POSTGRES names a directory.
#pragma once

#include <string>

namespace pgsluice::test {

// Of servers that are made now; with a slash at its end, or empty for those in PATH.
std::string postgres_programs();

// While it lives, servers that are made use the programs of another directory. For one thread.
class OtherPrograms {
   public:
    explicit OtherPrograms(std::string directory);
    ~OtherPrograms();
    OtherPrograms(const OtherPrograms&) = delete;
    OtherPrograms& operator=(const OtherPrograms&) = delete;

   private:
    std::string before_;
};

}  // namespace pgsluice::test
