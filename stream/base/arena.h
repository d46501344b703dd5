// Memory for the lifetime of a batch: bump allocation from chunks that are kept for the next batch.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace pgsluice {

class Arena {
   public:
    explicit Arena(std::size_t chunk_bytes = 64 * 1024) : chunk_bytes_(chunk_bytes) {}
    Arena(Arena&&) noexcept = default;
    Arena& operator=(Arena&&) noexcept = default;

    // Uninitialised; aligned to 16. Valid until clear().
    std::byte* allocate(std::size_t bytes) {
        bytes = (bytes + 15) & ~std::size_t{15};
        while (current_ < chunks_.size() && chunks_[current_].size - used_ < bytes) {
            ++current_;
            used_ = 0;
        }
        if (current_ == chunks_.size()) chunks_.push_back(Chunk(bytes > chunk_bytes_ ? bytes : chunk_bytes_));
        std::byte* place = chunks_[current_].bytes.get() + used_;
        used_ += bytes;
        return place;
    }

    std::string_view copy(std::string_view text) {
        if (text.empty()) return "";
        auto* place = reinterpret_cast<char*>(allocate(text.size()));
        std::memcpy(place, text.data(), text.size());
        return {place, text.size()};
    }

    // `count` value-initialised elements. Their destructors are never run.
    template <typename T>
    std::span<T> make(std::size_t count) {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 16);
        auto* place = reinterpret_cast<T*>(allocate(count * sizeof(T)));
        for (std::size_t i = 0; i < count; ++i) new (place + i) T();
        return {place, count};
    }

    // Forgets everything; keeps ordinary chunks for reuse and frees oversized ones.
    void clear() {
        std::erase_if(chunks_, [this](const Chunk& chunk) { return chunk.size > chunk_bytes_; });
        current_ = 0;
        used_ = 0;
    }

   private:
    struct Chunk {
        explicit Chunk(std::size_t n) : bytes(new std::byte[n]), size(n) {}
        std::unique_ptr<std::byte[]> bytes;
        std::size_t size;
    };
    std::size_t chunk_bytes_;
    std::vector<Chunk> chunks_;
    std::size_t current_ = 0;
    std::size_t used_ = 0;
};

}  // namespace pgsluice
