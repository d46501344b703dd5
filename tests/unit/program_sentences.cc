#include "tests/unit/program_sentences.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>

#include "tests/support/read_file.h"

namespace pgsluice::test {

namespace {

// C++ as far as it takes to find string literals.
class SourceReader {
   public:
    explicit SourceReader(const std::string& source) : source_(source) {}

    struct Literal {
        std::size_t at;
        std::string text;
    };

    // The next literal, with those that follow at once.
    std::optional<Literal> next() {
        std::optional<Literal> found;
        while (at_ < source_.size()) {
            const std::size_t begin = at_;
            if (skip_comment() || skip_character()) continue;
            if (auto text = string()) {
                if (!found) found = Literal{begin, {}};
                found->text += *text;
                continue;
            }
            if (found && !is_space(source_[at_])) return found;
            ++at_;
        }
        return found;
    }

   private:
    static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t'; }
    [[nodiscard]] bool sees(std::string_view text) const { return source_.compare(at_, text.size(), text) == 0; }

    bool skip_comment() {
        if (!sees("//")) return false;
        at_ = std::min(source_.find('\n', at_), source_.size());
        return true;
    }
    // 'x' or '\x', and not the separator of 1'000.
    bool skip_character() {
        if (!sees("'")) return false;
        const std::size_t length = source_.compare(at_ + 1, 1, "\\") == 0 ? 4 : 3;
        if (source_.compare(at_ + length - 1, 1, "'") != 0) return false;
        at_ += length;
        return true;
    }
    std::optional<std::string> string() {
        if (sees("R\"")) return raw_string();
        if (!sees("\"")) return std::nullopt;
        std::string text;
        for (++at_; at_ < source_.size() && source_[at_] != '"'; ++at_) {
            if (source_[at_] == '\\') ++at_;
            text += source_[at_];
        }
        ++at_;
        return text;
    }
    std::string raw_string() {
        const std::size_t open = source_.find('(', at_);
        const std::string end = ")" + source_.substr(at_ + 2, open - at_ - 2) + "\"";
        const std::size_t close = source_.find(end, open);
        at_ = close + end.size();
        return source_.substr(open + 1, close - open - 1);
    }

    const std::string& source_;
    std::size_t at_ = 0;
};

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_small(char c) { return c >= 'a' && c <= 'z'; }

// "Run it again.", "{} Or run it again"; not "SELECT 1", "Content-Type: text/plain" or "Wrote".
bool is_sentence(std::string_view text) {
    if (text.starts_with("{}")) text.remove_prefix(2);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty() || !is_capital(text[0]) || text.find(' ') == std::string_view::npos) return false;
    const auto word = std::find_if_not(text.begin() + 1, text.end(), is_small);
    if (word != text.end() && (*word == ' ' || *word == ',')) return true;
    return text.substr(0, text.find_last_not_of(' ') + 1).ends_with('.');
}

}  // namespace

std::vector<Sentence> sentences_in(const std::string& source, const std::string& file) {
    std::vector<Sentence> found;
    SourceReader reader(source);
    while (const auto literal = reader.next()) {
        if (!is_sentence(literal->text)) continue;
        const auto line =
            1 + std::count(source.begin(), source.begin() + static_cast<std::ptrdiff_t>(literal->at), '\n');
        found.push_back({file + ":" + std::to_string(line), literal->text});
    }
    return found;
}

std::vector<Sentence> program_sentences() {
    const std::filesystem::path root(PGSLUICE_SOURCE_DIR);
    std::vector<Sentence> found;
    for (const char* folder : {"cmd", "replicator", "rules", "sinks", "sql", "stream", "worker"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
            const std::string file = std::filesystem::relative(entry.path(), root).string();
            if (!file.ends_with(".cc") && !file.ends_with(".h")) continue;
            const bool help = file.starts_with("cmd/cli/flags/") || file == "cmd/http/metric_table.cc" ||
                              file == "rules/transforms/transform_table.cc" || file.starts_with("cmd/reference/");
            if (help) continue;
            for (Sentence& sentence : sentences_in(read_file(entry.path()), file)) found.push_back(std::move(sentence));
        }
    }
    return found;
}

}  // namespace pgsluice::test
