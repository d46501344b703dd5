#include "rules/personal/value_tally.h"

#include <functional>

#include "rules/personal/looks.h"

namespace pgsluice::rules {
namespace {

constexpr std::size_t longest_alone = 300;  // bytes of what is one thing, and no text

struct Threshold {
    int look;
    PersonalKind kind;
    std::size_t percent;  // of the values at least,
    std::size_t values;   // and so many different ones
};

}  // namespace

void ValueTally::add(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    if (text.empty() || !met_.insert(std::hash<std::string_view>{}(text)).second) return;
    ++values_;
    if (holds_email(text)) ++hits_[within];
    if (text.size() > longest_alone) return;
    const auto count = [&](Look look, bool (*looks_like)(std::string_view)) {
        if (looks_like(text)) ++hits_[look];
    };
    count(email, is_email);
    count(phone, is_phone);
    count(ip, is_ip);
    count(mac, is_mac);
    count(ssn, is_ssn);
    count(card, is_card);
    count(iban, is_iban);
    count(street, is_street);
    count(full_name, is_full_name);
    count(first_name, is_first_name);
    count(last_name, is_last_name);
}

// In this order: a card's number may be one of Luhn's by chance, a name may be a word.
ValueFinding ValueTally::finding() const {
    static constexpr Threshold thresholds[] = {
        {email, PersonalKind::email, 50, 1},
        {iban, PersonalKind::iban, 50, 1},
        {mac, PersonalKind::mac, 50, 2},
        {ssn, PersonalKind::ssn, 80, 2},
        {card, PersonalKind::card, 80, 2},
        {ip, PersonalKind::ip, 80, 2},
        {phone, PersonalKind::phone, 60, 3},
        {street, PersonalKind::address, 50, 3},
        {full_name, PersonalKind::name, 20, 5},
        {first_name, PersonalKind::first_name, 60, 5},
        {last_name, PersonalKind::last_name, 60, 5},
        {within, PersonalKind::note, 1, 1},
    };
    for (const Threshold& each : thresholds) {
        const std::size_t hits = hits_[static_cast<std::size_t>(each.look)];
        if (hits >= each.values && hits * 100 >= values_ * each.percent) return {each.kind, hits, values_};
    }
    return {};
}

}  // namespace pgsluice::rules
