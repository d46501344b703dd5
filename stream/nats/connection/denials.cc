#include "stream/nats/connection/denials.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice::nats {

std::optional<Denial> parse_denial(std::string_view text) {
    constexpr std::string_view start = "permissions violation for ";
    const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    const auto found = std::search(text.begin(), text.end(), start.begin(), start.end(), same);
    const auto quote = text.find('"');
    if (found == text.end() || quote == std::string_view::npos) return std::nullopt;
    const auto verb = text.substr(static_cast<std::size_t>(found - text.begin()) + start.size());
    const auto subject = text.substr(quote + 1);
    return Denial{verb.starts_with('P') || verb.starts_with('p'), std::string(subject.substr(0, subject.find('"')))};
}

std::string pattern_of(std::string_view subject, std::string_view inbox_prefix) {
    if (subject.starts_with(inbox_prefix)) return fmt::format("{}.>", inbox_prefix);
    // $JS.FC.<stream>.<consumer>...; $JS.API.CONSUMER.DELETE.<stream>.<consumer>
    for (const std::string_view before : {".FC.", ".CONSUMER.CREATE.", ".CONSUMER.DELETE."}) {
        const auto found = subject.find(before);
        if (!subject.starts_with("$JS.") || found == std::string_view::npos) continue;
        const auto end = subject.find('.', found + before.size());
        return end == std::string_view::npos ? std::string(subject) : fmt::format("{}.>", subject.substr(0, end));
    }
    return std::string(subject);
}

Error denied(std::string_view doing, const Denial& denial) {
    const char* verb = denial.publish ? "publish" : "subscribe";
    std::string hint = fmt::format(
        "Add '{}' to the {} permissions of this user in nats-server's configuration (or in the user's JWT), and start "
        "again",
        denial.subject, verb);
    if (!denial.publish) hint += "; or give a subject that it may subscribe to in --nats-inbox-prefix";
    return stop_error(fmt::format("unable to {}: the NATS user may not {} to '{}'", doing, verb, denial.subject),
                      hint + ".");
}

bool Denials::add(Denial denial, std::string_view inbox_prefix, Time now) {
    constexpr std::size_t most = 1000;
    denial.subject = pattern_of(denial.subject, inbox_prefix);
    const std::lock_guard lock(mutex_);
    any_ = true;
    const auto known = std::ranges::find(entries_, denial, &Entry::denial);
    if (known != entries_.end()) {
        known->at = now;
        return false;
    }
    if (entries_.size() == most) entries_.erase(entries_.begin());
    entries_.push_back({std::move(denial), now});
    return true;
}

namespace {

// Whether the subject has `part` in it, which is not the beginning of a longer name there: many groups share a denial.
bool has(std::string_view subject, std::string_view part) {
    for (auto at = subject.find(part); at != std::string_view::npos; at = subject.find(part, at + 1)) {
        const auto rest = subject.substr(at + part.size());
        if (part.ends_with('.') || rest.empty() || rest.front() == '.') return true;
    }
    return false;
}

}  // namespace

// A subscription is tried once, and fails every operation after it.
std::optional<Denial> Denials::find(std::string_view part, Time since) {
    if (!any_) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
        if (!entry.denial.publish) return true;
        return entry.at >= since && has(entry.denial.subject, part);
    });
    return found == entries_.end() ? std::nullopt : std::optional(found->denial);
}

std::optional<Denial> Denials::of(std::string_view subject, std::string_view inbox_prefix) {
    const std::lock_guard lock(mutex_);
    const std::string pattern = pattern_of(subject, inbox_prefix);
    const auto found = std::ranges::find_if(
        entries_, [&](const Entry& entry) { return !entry.denial.publish || entry.denial.subject == pattern; });
    return found == entries_.end() ? std::nullopt : std::optional(found->denial);
}

void Denials::clear() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
    any_ = false;
}

}  // namespace pgsluice::nats
