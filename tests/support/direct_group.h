// A group whose snapshot a worker reads from the source itself, in small page ranges.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/pipeline.h"
#include "tests/support/row_changes.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

namespace pgsluice::test {

struct DirectGroup : Pipeline {
    using Flags = std::vector<std::string>;
    using Variables = std::map<std::string, std::string>;

    // What a page range may cut: keys, none, whole rows; TOAST that is compressed and not; what the target computes,
    // types of the user's, partitions.
    void make_tables() {
        on_both(R"(CREATE TYPE mood AS ENUM ('sad', 'content');
                   CREATE DOMAIN positive AS int CHECK (VALUE > 0);
                   CREATE TABLE keyed (id int PRIMARY KEY, pad text, m mood, p positive,
                                       twice int GENERATED ALWAYS AS (id * 2) STORED);
                   CREATE TABLE keyless (n int, pad text);
                   CREATE TABLE whole (n int, note text);
                   ALTER TABLE whole REPLICA IDENTITY FULL;
                   CREATE TABLE wide (id int PRIMARY KEY, v text, w text, n int);
                   ALTER TABLE wide ALTER v SET STORAGE EXTERNAL;
                   CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
                   CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
                   CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (1000) TO (100000);
                   CREATE TABLE empty (id int PRIMARY KEY);
                   CREATE TABLE "odd ""table" ("a b" int PRIMARY KEY, "c\" text))");
        on_source(R"(INSERT INTO keyed SELECT i, repeat('k', 100) || i, 'sad', i FROM generate_series(1, 8000) i;
                     DELETE FROM keyed WHERE id % 11 = 0;
                     INSERT INTO keyless SELECT i / 2, E'a\tb\\c\n' || i FROM generate_series(1, 8000) i;
                     INSERT INTO whole SELECT i % 10, nullif('same', CASE WHEN i % 3 = 0 THEN 'same' END)
                         FROM generate_series(1, 200) i;
                     INSERT INTO wide SELECT i, repeat(md5(i::text), 400), repeat('w', 9000), 0
                         FROM generate_series(1, 300) i;
                     INSERT INTO parts SELECT i, 'row ' || i FROM generate_series(1, 3000) i;
                     INSERT INTO "odd ""table" SELECT i, E'\\N' FROM generate_series(1, 100) i)");
    }
    static const Flags& tables() {
        static const Flags all{"keyed", "keyless", "whole", "wide", "parts", "empty", "\"odd \"\"table\""};
        return all;
    }

    void change(int number) {
        const std::string n = std::to_string(number);
        on_source(row_changes(number, ", m = 'content'") + "; UPDATE wide SET n = n + 1 WHERE id % 7 = " + n +
                  "; UPDATE parts SET id = id + 50000 WHERE id = " + n);
    }

    void start_direct_replicator(Flags more = {"--copy-and-stream"}, Variables environment = {}) {
        more.insert(more.end(), {"--snapshot", "direct"});
        environment.emplace("PGSLUICE_COPY_RANGE_PAGES", "8");
        start_replicator(std::move(more), std::move(environment));
    }
    [[nodiscard]] Flags direct(Flags more = {}) const {
        more.insert(more.end(), {"--snapshot", "direct", "--source-url", source_url()});
        return more;
    }
    void start_direct_worker(const Flags& more = {}, const Variables& environment = {}) {
        start_worker(direct(more), environment);
    }

    // Messages of a kind in the stream.
    int messages(const std::string& kind) {
        int found = 0;
        const auto state = broker->stream_state(names().stream).value();
        for (StreamSeq seq = state.first_seq; seq <= state.last_seq; ++seq.value)
            if (const auto message = broker->stored_message(names().stream, seq))
                for (const auto& header : message->headers)
                    found += header == std::pair<std::string, std::string>("Pgsluice-Kind", kind) ? 1 : 0;
        return found;
    }
    [[nodiscard]] Names names() const { return names_for(group()); }

    std::unique_ptr<Broker> broker = connect_broker();
};

}  // namespace pgsluice::test
