// stderr as the log and, on a terminal, a few lines below it that are redrawn.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice {

// Any thread may call. Each call is one write(2), so that nothing comes between erasing and drawing.
class StatusLines {
   public:
    // Does not own the descriptor.
    explicit StatusLines(int fd);

    // The descriptor is a terminal whose cursor can be moved.
    [[nodiscard]] bool drawable() const noexcept { return drawable_; }
    // Of the terminal now; 80 when it does not say.
    [[nodiscard]] std::size_t columns() const;

    // Permanent text: whole lines, each with its newline. Goes above the lines that are drawn.
    void print(std::string_view lines);
    // Replaces what is drawn; without newlines, and no wider than columns(). Does nothing when not drawable.
    void draw(std::vector<std::string> lines);
    // Removes what is drawn.
    void erase() { draw({}); }

   private:
    [[nodiscard]] std::string erasing() const;
    [[nodiscard]] std::string drawing() const;

    const int fd_;
    const bool drawable_;
    std::mutex mutex_;
    std::vector<std::string> drawn_;
};

}  // namespace pgsluice
