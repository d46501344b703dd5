// Sealing: the cipher against published vectors, bodies and values that were changed, the key file and the record.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "sql/error.h"
#include "stream/base/hex.h"
#include "stream/seal/seal_record.h"
#include "stream/seal/sealed_body.h"
#include "stream/seal/signed_value.h"
#include "stream/seal/stream_keys.h"
#include "tests/support/process.h"

using namespace pgsluice;

namespace {

std::string bytes(std::string_view digits) {
    std::string out(digits.size() / 2, '\0');
    REQUIRE(decode_hex(digits, out.data()));
    return out;
}

template <typename Array>
Array array_of(std::string_view hex) {
    const std::string text = bytes(hex);
    Array out{};
    REQUIRE(text.size() == out.size());
    std::copy(text.begin(), text.end(), out.begin());
    return out;
}

// 32 bytes of one letter, as base64.
constexpr const char* secret_a = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
constexpr const char* secret_b = "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";

StreamKeys two_keys() { return StreamKeys::parse(fmt::format("# ours\nk2:{}\n\nk1:{}\r\n", secret_b, secret_a), "f"); }

const HeaderList headers = message_headers({MessageKind::changes, {Lsn{9}, 1}, Lsn{9}}, nullptr, {});
const SealPlace place{"pgsluice_shop", "pgsluice.shop.changes", {17}};

bool opens(const StreamKey& key, const SealHeader& seal, const SealPlace& at, const HeaderList& list,
           std::string body) {
    return Opener().open(key, seal, at, list, body.data(), body.size()).has_value();
}

std::string error_of(const std::string& text) {
    try {
        static_cast<void>(StreamKeys::parse(text, "keys"));
    } catch (const Error& error) {
        CHECK(error.action() == Action::usage);
        return error.what();
    }
    return {};
}

}  // namespace

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16; used by NIST as well.
TEST_CASE("AES-256-GCM is the one that is published") {
    const SecretKey zero{};
    CHECK(to_hex(Gcm(zero).seal({}, "", "")) == "530f8afbc74536b9a963b4f1c4cb738b");
    CHECK(to_hex(Gcm(zero).seal({}, "", std::string(16, '\0'))) ==
          "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    Gcm gcm(array_of<SecretKey>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
    const auto nonce = array_of<Nonce>("cafebabefacedbaddecaf888");
    const std::string associated = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const std::string plain = bytes(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de6"
        "57ba637b39");
    std::string sealed = gcm.seal(nonce, associated, plain);
    CHECK(
        to_hex(sealed) ==
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a"
        "0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
    const auto length = gcm.open(nonce, associated, sealed.data(), sealed.size());
    REQUIRE(length);
    CHECK(std::string_view(sealed).substr(0, *length) == plain);
}

// echo -n "what do ya want for nothing?" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf "61%.0s" {1..32})
TEST_CASE("HMAC-SHA-256 is OpenSSL's") {
    const SecretKey key = two_keys().find("k1")->secret;
    const SecretKey mac = hmac_sha256(key, "what do ya want for nothing?");
    CHECK(to_hex(mac) == "256acbf6cf1b24d5713bbb91d634e68999b16f31dcb65479982a6993e990549f");
}

TEST_CASE("a body that was changed anywhere, or is in another place, does not open") {
    const StreamKeys keys = two_keys();
    Sealer sealer(keys.first(), "00112233aabbccdd");
    const std::string body = "[[\"B\",742,\"0/16B2D50\",781234567890123]]";
    const std::string sealed = sealer.seal(place, headers, body);
    const SealHeader seal = parse_seal_header(to_text(sealer.header())).value();
    CHECK(seal == sealer.header());
    CHECK(sealed.find("16B2D50") == std::string::npos);
    std::string opened = sealed;
    Opener opener;
    const auto length = opener.open(keys.first(), seal, place, headers, opened.data(), opened.size());
    REQUIRE(length);
    CHECK(std::string_view(opened).substr(0, *length) == body);

    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string bad = sealed;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        CHECK_FALSE(opens(keys.first(), seal, place, headers, bad));
        CHECK_FALSE(opens(keys.first(), seal, place, headers, sealed.substr(0, i)));
    }
    CHECK_FALSE(opens(keys.first(), seal, place, headers, sealed + "x"));
    for (std::size_t i = 0; i < headers.size(); ++i) {
        HeaderList bad = headers;
        bad[i].second += '1';
        CHECK_FALSE(opens(keys.first(), seal, place, bad, sealed));
        bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(i));
        CHECK_FALSE(opens(keys.first(), seal, place, bad, sealed));
    }
    CHECK_FALSE(opens(keys.first(), seal, {"pgsluice_shop", "pgsluice.shop.changes", {18}}, headers, sealed));
    CHECK_FALSE(opens(keys.first(), seal, {"pgsluice_shop", "pgsluice.shop.snapshot", {17}}, headers, sealed));
    CHECK_FALSE(opens(keys.first(), seal, {"pgsluice_other", "pgsluice.shop.changes", {17}}, headers, sealed));
    for (auto member : {&SealHeader::key_id, &SealHeader::run, &SealHeader::salt}) {
        SealHeader bad = seal;
        (bad.*member).back() = (bad.*member).back() == '0' ? '1' : '0';
        CHECK_FALSE(opens(keys.first(), bad, place, headers, sealed));
    }
    CHECK_FALSE(opens(*keys.find("k1"), seal, place, headers, sealed));
}

TEST_CASE("two sealers never use a key and nonce twice, and a message sent again is the same bytes") {
    const StreamKeys keys = two_keys();
    Sealer one(keys.first(), "-");
    Sealer other(keys.first(), "-");
    CHECK(one.header().salt != other.header().salt);
    CHECK(one.seal(place, headers, "same") == one.seal(place, headers, "same"));
    CHECK(one.seal(place, headers, "same") != other.seal(place, headers, "same"));
}

TEST_CASE("the header of a seal: what is not one") {
    const std::string salt(32, 'a');
    CHECK(parse_seal_header("1 k1 00ff " + salt));
    CHECK_FALSE(parse_seal_header("1 k1 00ff " + salt + " "));
    for (const std::string& text :
         {std::string(), std::string("1"), "2 k1 00ff " + salt, "1  00ff " + salt, "1 k1  " + salt,
          "1 k1 00ff " + salt + "b", "1 k1 00ff " + salt + " more", "1 k1 00ff " + salt.substr(1)})
        CHECK_FALSE(parse_seal_header(text));
}

TEST_CASE("a value in the bucket is authentic only under its own key and name") {
    const StreamKeys keys = two_keys();
    const ValuePlace at{"pgsluice_shop", "worker.a"};
    const std::string value = "{\"a\":1,\n\"b\":2}";
    const std::string text = sign_value(keys.first(), at, value);
    CHECK(text.size() <= value.size() + signature_bytes);
    const SignedValue split = split_value(text).value();
    CHECK(split.value == value);
    CHECK(split.key_id == "k2");
    CHECK(is_authentic(keys.first(), at, split));
    CHECK_FALSE(is_authentic(*keys.find("k1"), at, split));
    CHECK_FALSE(is_authentic(keys.first(), {"pgsluice_shop", "worker.b"}, split));
    CHECK_FALSE(is_authentic(keys.first(), {"pgsluice_x", "worker.a"}, split));
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string bad = text;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        const auto parts = split_value(bad);
        const StreamKey* key = parts ? keys.find(parts->key_id) : nullptr;
        CHECK_FALSE((key != nullptr && is_authentic(*key, at, *parts)));
    }
    CHECK_FALSE(split_value(value));
}

TEST_CASE("the key file: the first key seals, all are found") {
    const StreamKeys keys = two_keys();
    CHECK(keys.first().id == "k2");
    CHECK(keys.find("k1") != nullptr);
    CHECK(keys.find("k3") == nullptr);
    CHECK(error_of("").find("holds no key") != std::string::npos);
    CHECK(error_of(fmt::format("k1:{0}\nk1:{0}\n", secret_a)).find("two keys 'k1'") != std::string::npos);
    for (const std::string& line :
         {std::string("k1"), std::string("k1:"), std::string("k1:YWFh"), fmt::format("K1:{}", secret_a),
          fmt::format(":{}", secret_a), fmt::format("k1:{}x", secret_a), std::string(secret_a)}) {
        const std::string error = error_of("# first\n" + line);
        CHECK(error.find("line 2") != std::string::npos);
        CHECK(error.find("YWFh") == std::string::npos);
    }
}

TEST_CASE("a key file that others may read is refused") {
    const std::string path = fmt::format("{}/keys_{}", test::temporary_directory("keys"), ::getpid());
    std::ofstream(path) << "k1:" << secret_a << '\n';
    REQUIRE(::chmod(path.c_str(), 0644) == 0);
    CHECK_THROWS_AS(StreamKeys::load(path), Error);
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    CHECK(StreamKeys::load(path).first().id == "k1");
    REQUIRE(::unlink(path.c_str()) == 0);
    CHECK_THROWS_AS(StreamKeys::load(path), Error);
}

TEST_CASE("the record of a sealed stream") {
    SealRecord record;
    record.keys = {"k1"};
    record.begin_run({1});
    record.begin_run({100});
    CHECK(record.runs.size() == 2);
    CHECK(record.runs[0].id != record.runs[1].id);
    CHECK(record.run_of({99}) == &record.runs[0]);
    CHECK(record.run_of({100}) == &record.runs[1]);
    CHECK(decode_seal_record(encode(record)) == record);
    SealRecord later = record;
    later.begin_run({50});  // the stream was created again, and is shorter
    CHECK(later.runs.size() == 2);
    CHECK(later.runs[1].from == StreamSeq{50});
    SealRecord from_ten;
    from_ten.begin_run({10});
    CHECK(from_ten.run_of({9}) == nullptr);
    for (const char* bad :
         {"", "{}", "{\"version\":2,\"keys\":[],\"runs\":[]}", "{\"version\":1,\"keys\":[],\"runs\":[]}",
          "{\"version\":1,\"keys\":[1],\"runs\":[{\"id\":\"a\",\"from\":1}]}"})
        CHECK_THROWS_AS(decode_seal_record(bad), Error);
}
