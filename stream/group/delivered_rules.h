// The rules under which the rows of a table were delivered: what a worker's later start is compared with. A sink that
// keeps its state keeps them beside it, others have the KV keys `rules.<worker>.<oid>` (FORMAT.md, "Keys").
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "stream/broker.h"
#include "stream/change.h"

namespace pgsluice {

struct DeliveredColumn {
    std::int16_t number = 0;  // 0: not known
    std::string name;
    std::string rules;    // a digest of its transforms; "excluded"; empty when it has none
    std::string filters;  // the same of its filters

    bool operator==(const DeliveredColumn&) const = default;
};

struct DeliveredRules {
    std::string table;       // the source's name, for messages
    std::string target;      // where its route sends it, "-" for nowhere; empty: to where it came from
    std::string operations;  // those that its route lets through; empty: all
    bool mixed = false;      // rows of before and after a change of the rules: equal to nothing
    std::vector<DeliveredColumn> columns;
    std::vector<std::string> came_as{};  // of Relation::came_as, those whose rules it has been compared with

    bool operator==(const DeliveredRules&) const = default;
};

std::string encode(const DeliveredRules& rules);
// A stop Error when it is not that.
DeliveredRules decode_delivered_rules(std::string_view json);

// What the two say differently of columns that both have under one name, in words: "column 'email'", "the filter on
// 'age'", "the target". Empty: rows delivered under one are as the other would have them.
std::vector<std::string> differences(const DeliveredRules& before, const DeliveredRules& now);
// Those of them by which `now` may show what `before` hid. A column is the same under another name, too.
std::vector<std::string> no_longer_hidden(const DeliveredRules& before, const DeliveredRules& now);

// Of rows of one table of which some were delivered under one and some under the other: mixed, where that shows.
DeliveredRules of_both(const DeliveredRules& one, const DeliveredRules& other);
// The same of all that two workers have noted.
std::map<Oid, std::string> of_both(std::map<Oid, std::string> one, const std::map<Oid, std::string>& other);

// The note of no table says that notes were taken from the first row on; and, of a sink whose other end keeps what it
// had, how often --on-rules-change reload has had all delivered again.
inline constexpr Oid note_of_no_table = 0;
std::string encode_reloads(std::uint64_t reloads);
// 0 where there is no such note. A stop Error when it is malformed.
std::uint64_t reloads_in(const std::map<Oid, std::string>& notes);

class DeliveredRulesKeys {
   public:
    DeliveredRulesKeys(Broker& broker, const Names& names, const std::string& worker);
    // Those of a replicator that applies rules: `rules_of_source.<oid>`, which no worker may write.
    static DeliveredRulesKeys of_source(Broker& broker, const Names& names);

    [[nodiscard]] std::map<Oid, std::string> load();
    void put(Oid table, std::string_view json);
    void clear();
    // Of a worker that is forgotten, and whose other end keeps what it had: what one of its name delivers after that is
    // another event.
    void clear_but_count();

   private:
    struct Prefix {
        std::string text;
    };
    DeliveredRulesKeys(Broker& broker, const Names& names, Prefix prefix);
    [[nodiscard]] std::vector<std::string> keys();
    void check(const std::string& key, Oid table, const std::string& json) const;

    Broker& broker_;
    Names names_;
    std::string prefix_;
};

}  // namespace pgsluice
