// The sentences in the program's sources: string literals that begin with a capital letter, as hints do.
#pragma once

#include <string>
#include <vector>

namespace pgsluice::test {

struct Sentence {
    std::string place;  // "sql/sqlstate.cc:34"
    std::string text;   // adjacent literals are one
};

// Of all sources but the table of flags, whose descriptions are sentences, too.
std::vector<Sentence> program_sentences();

// For the test of the reader.
std::vector<Sentence> sentences_in(const std::string& source, const std::string& file);

}  // namespace pgsluice::test
