// A dump read the second time: its rows go to a snapshot feed, in blocks as a stream's messages hold them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "worker/import/survey.h"
#include "worker/snapshot_feed.h"

namespace pgsluice {

class ImportFeed final : public dump::Rows {
   public:
    struct Parts {
        SnapshotFeed& feed;
        const std::vector<SurveyedTable>& tables;  // as the survey found them
        std::uint64_t epoch = 1;
        Lsn point;                                     // the position of all rows
        std::uint64_t max_rows = 0;                    // of each table; 0: all
        std::function<void(const ImportFeed&)> block;  // called after each block
    };
    explicit ImportFeed(Parts parts);

    void table(const QualifiedName& name, const std::vector<std::string>& columns, const dump::Place& place) override;
    void row(std::string_view line, const dump::Place& place) override;
    // Hands on the rest. A stop Error when the rows were not those of the survey.
    void finish();

    struct Count {
        std::uint64_t found = 0;  // in the dump
        std::uint64_t read = 0;   // of these, within max_rows
        std::uint64_t delivered = 0;
        std::uint64_t rewritten = 0;
        std::uint64_t dropped = 0;  // by the rules
    };
    [[nodiscard]] const std::vector<Count>& counts() const noexcept { return counts_; }
    // After what was handed on so far.
    [[nodiscard]] Checkpoint upto() const;
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }

   private:
    void flush();

    Parts parts_;
    TableNumbers numbers_;
    std::vector<Count> counts_;
    std::size_t current_ = 0;
    std::shared_ptr<std::string> text_ = std::make_shared<std::string>();
    std::uint64_t text_rows_ = 0;
    dump::Place first_;            // of the block's first row
    std::uint64_t last_line_ = 0;  // and its last
    std::uint64_t rows_ = 0;
    StreamSeq last_seq_{1};  // the begin marker's
};

}  // namespace pgsluice
