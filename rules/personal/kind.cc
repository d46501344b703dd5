#include "rules/personal/kind.h"

namespace pgsluice::rules {

std::string_view what(PersonalKind kind) {
    switch (kind) {
        case PersonalKind::none:
            return "nothing personal";
        case PersonalKind::email:
            return "an e-mail address";
        case PersonalKind::phone:
            return "a telephone number";
        case PersonalKind::name:
            return "a person's name";
        case PersonalKind::first_name:
            return "a first name";
        case PersonalKind::last_name:
            return "a last name";
        case PersonalKind::username:
            return "a user's name";
        case PersonalKind::address:
            return "a postal address";
        case PersonalKind::city:
            return "a person's town";
        case PersonalKind::zip:
            return "a postal code";
        case PersonalKind::birth:
            return "a date of birth";
        case PersonalKind::ssn:
            return "a social security number";
        case PersonalKind::id_number:
            return "the number of an identity document";
        case PersonalKind::card:
            return "a payment card's number";
        case PersonalKind::iban:
            return "a bank account";
        case PersonalKind::ip:
            return "an IP address";
        case PersonalKind::mac:
            return "a MAC address";
        case PersonalKind::secret:
            return "a password or token";
        case PersonalKind::gender:
            return "a gender";
        case PersonalKind::place:
            return "a location";
        case PersonalKind::user_agent:
            return "a browser's name";
        case PersonalKind::sensitive:
            return "something sensitive about a person";
        case PersonalKind::note:
            return "free text, in which anything may be";
        case PersonalKind::labelled:
            return "personal data";
    }
    return "";
}

}  // namespace pgsluice::rules
