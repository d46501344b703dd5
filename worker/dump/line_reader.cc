#include "worker/dump/line_reader.h"

#include <algorithm>
#include <cstring>

namespace pgsluice::dump {

namespace {

constexpr std::size_t usual_bytes = 256 * 1024;

}  // namespace

std::optional<std::string_view> LineReader::next() {
    if (buffer_.size() > usual_bytes && end_ - begin_ <= usual_bytes) {  // after a long line
        buffer_ = buffer_.substr(begin_, end_ - begin_);
        end_ = buffer_.size();
        begin_ = 0;
    }
    for (std::size_t searched = begin_;;) {
        const auto* found = static_cast<const char*>(std::memchr(buffer_.data() + searched, '\n', end_ - searched));
        if (found != nullptr) {
            const std::string_view line(buffer_.data() + begin_,
                                        static_cast<std::size_t>(found - buffer_.data()) - begin_);
            begin_ += line.size() + 1;
            ++place_.line;
            return line;
        }
        const std::size_t held = end_ - begin_;
        if (held > max_line_bytes) throw refused({place_.file, place_.line + 1}, "the line is longer than 1 GiB");
        if (!fill()) {
            if (held == 0) return std::nullopt;
            cut_off_ = true;
            ++place_.line;
            const std::string_view line(buffer_.data() + begin_, held);
            begin_ = end_;
            return line;
        }
        searched = begin_ + held;
    }
}

// More at the end of what is there; false at the end of the input.
bool LineReader::fill() {
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (buffer_.size() - end_ < usual_bytes / 2) buffer_.resize(std::max(usual_bytes, buffer_.size() * 2));
    const std::size_t count = read_(buffer_.data() + end_, buffer_.size() - end_);
    end_ += count;
    return count > 0;
}

}  // namespace pgsluice::dump
