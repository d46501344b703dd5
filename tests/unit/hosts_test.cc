#include "sql/connect/hosts.h"

#include <doctest/doctest.h>

using namespace pgsluice::sql;
using Hosts = std::vector<Host>;

TEST_CASE("hosts, addresses and ports belong together by their place in the lists") {
    CHECK(hosts_of({}) == Hosts{{"", "", ""}});
    CHECK(hosts_of({{"hostaddr", "10.0.0.1,10.0.0.2"}, {"port", "1,2"}}) ==
          Hosts{{"", "10.0.0.1", "1"}, {"", "10.0.0.2", "2"}});
    CHECK(hosts_of({{"host", "a,/tmp,@x,"}, {"hostaddr", "10.0.0.1,,,"}, {"port", "7"}}) ==
          Hosts{{"a", "10.0.0.1", "7"}, {"/tmp", "", "7"}, {"@x", "", "7"}, {"", "", "7"}});
    CHECK(hosts_of({{"host", "/a,/b"}, {"port", "1,"}}) == Hosts{{"/a", "", "1"}, {"/b", "", ""}});
}

TEST_CASE("a name is its addresses; one that has none is left to libpq") {
    CHECK(hosts_of({{"host", "127.0.0.1"}, {"port", "1"}}) == Hosts{{"127.0.0.1", "127.0.0.1", "1"}});
    CHECK(hosts_of({{"host", "no-such-host.invalid"}}) == Hosts{{"no-such-host.invalid", "", ""}});
}

TEST_CASE("hosts are put back as libpq's lists") {
    std::map<std::string, std::string> keywords{{"host", "x"}, {"hostaddr", "y"}, {"port", "1"}, {"user", "u"}};
    set_hosts(keywords, {{"a", "10.0.0.1", "1"}, {"/tmp", "", ""}});
    CHECK(keywords == std::map<std::string, std::string>{
                          {"host", "a,/tmp"}, {"hostaddr", "10.0.0.1,"}, {"port", "1,"}, {"user", "u"}});
}
