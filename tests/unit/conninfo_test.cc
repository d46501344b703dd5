#include "sql/connect/conninfo.h"

#include <doctest/doctest.h>

using namespace pgsluice;
using sql::connection_keywords;
using sql::ConnectOptions;

namespace {

ConnectOptions from_url(const std::string& url) {
    ConnectOptions options;
    options.role = "source";
    options.url = url;
    return options;
}

std::string usage_text(const ConnectOptions& options) {
    try {
        connection_keywords(options);
    } catch (const Error& error) {
        CHECK(error.action() == Action::usage);
        CHECK_FALSE(error.hint().empty());
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("a URL and a conninfo string come down to the same keywords") {
    for (const char* text : {"postgresql://ann:p%40ss@db1:6543/shop?sslmode=require",
                             "host=db1 port=6543 dbname=shop user=ann password='p@ss' sslmode=require"}) {
        CAPTURE(text);
        const auto keywords = connection_keywords(from_url(text));
        CHECK(keywords.at("host") == "db1");
        CHECK(keywords.at("port") == "6543");
        CHECK(keywords.at("dbname") == "shop");
        CHECK(keywords.at("user") == "ann");
        CHECK(keywords.at("password") == "p@ss");
        CHECK(keywords.at("sslmode") == "require");
    }
}

TEST_CASE("parts win over the URL, settings win over both") {
    auto options = from_url("host=db1 hostaddr=10.0.0.1 port=6543 dbname=shop user=ann application_name=mine");
    options.host = "db2";
    options.port = "7000";
    options.settings = {{"user", "bob"}, {"replication", "database"}};
    const auto keywords = connection_keywords(options);
    CHECK(keywords.at("host") == "db2");
    CHECK_FALSE(keywords.contains("hostaddr"));
    CHECK(keywords.at("port") == "7000");
    CHECK(keywords.at("dbname") == "shop");
    CHECK(keywords.at("user") == "bob");
    CHECK(keywords.at("replication") == "database");
    CHECK(keywords.at("application_name") == "mine");
}

TEST_CASE("what was not given is left to libpq") {
    const auto keywords = connection_keywords(ConnectOptions{});
    for (const char* keyword : {"host", "port", "dbname", "user", "password", "options"}) {
        CAPTURE(keyword);
        CHECK_FALSE(keywords.contains(keyword));
    }
    CHECK(keywords.at("fallback_application_name") == "pgsluice");
}

TEST_CASE("the encoding is ours, keepalives are the user's to change") {
    const auto keywords =
        connection_keywords(from_url("client_encoding=LATIN1 keepalives_idle=5 options='-c geqo=off'"));
    CHECK(keywords.at("client_encoding") == "UTF8");
    CHECK(keywords.at("keepalives_idle") == "5");
    CHECK(keywords.at("options") == "-c geqo=off");
}

TEST_CASE("a URL that cannot be read is a usage error without its text") {
    for (const char* text : {"postgresql://ann:s3cret%zz@db1/shop", "host=db1 password=s3cret dbname", "s3cret",
                             // Characters of a password that are not written as %XX, and what follows them.
                             "postgresql://ann:a@s3cret@db1/shop", "postgresql://ann:a/s3cret@db1/shop",
                             "postgresql://ann:s3cret/b@db1/shop", "postgresql://ann:1/s3cret@db1/shop",
                             "postgresql://ann:a/b?s3cret=1@db1/shop", "host=db1 password=a s3cret=b"}) {
        CAPTURE(text);
        const auto message = usage_text(from_url(text));
        CHECK(message.find("unable to read the source URL") == 0);
        CHECK(message.find("s3cret") == std::string::npos);
    }
    CHECK(usage_text(from_url("hst=db1")).find("\"hst\"") != std::string::npos);
}

TEST_CASE("a URL without a misplaced password is read as before") {
    for (const char* text :
         {"postgresql://db1,db2/shop", "postgresql://db1:1,db2:2/shop", "postgresql:///shop?host=@abstract",
          "postgresql://ann@db1/shop?application_name=a@b", "postgresql://ann:p%40s%2Fs@db1/shop"}) {
        CAPTURE(text);
        CHECK_NOTHROW(connection_keywords(from_url(text)));
    }
}

TEST_CASE("an end is described without its password") {
    auto options = from_url("postgresql://ann:s3cret@db1:6543/shop");
    CHECK(sql::describe(options) == "db1:6543/shop");
}
