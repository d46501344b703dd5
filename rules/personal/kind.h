// What a column may tell of a person.
#pragma once

#include <cstdint>
#include <string_view>

namespace pgsluice::rules {

enum class PersonalKind : std::uint8_t {
    none,
    email,
    phone,
    name,
    first_name,
    last_name,
    username,
    address,  // a street with its number, or more
    city,
    zip,
    birth,
    ssn,
    id_number,  // a passport's, a tax office's, a driving licence's
    card,
    iban,
    ip,
    mac,
    secret,  // a password, a token, or what is made of one
    gender,
    place,  // latitude and longitude
    user_agent,
    sensitive,  // religion, health, income ...
    note,       // free text, in which anything may be
    labelled,   // said to be so, by a label or a comment
};

// "an e-mail address".
std::string_view what(PersonalKind kind);

}  // namespace pgsluice::rules
