#include "rules/personal/column_names.h"

#include <algorithm>
#include <array>
#include <span>

#include "rules/values/value_type.h"
#include "stream/base/ascii.h"

namespace pgsluice::rules {
namespace {

using enum PersonalKind;
using Words = std::vector<std::string>;

// Phrases are words with blanks between; the words together as one are the same phrase: "first name", "firstname".
struct Phrases {
    PersonalKind kind;
    bool of_persons;  // only in what is about persons
    std::string_view phrases;
};

// The first that matches counts.
constexpr Phrases names[] = {
    {email, false, "e mail,mail,email address,courriel,correo,correo electronico"},
    {ip, false, "ip,ip address,ipv4,ipv6,remote addr,client ip,remote ip,ip addr"},
    {mac, false, "mac address,mac addr"},
    {user_agent, false, "user agent,useragent"},
    {secret, false,
     "password,passwd,pwd,passwort,kennwort,mot de passe,contrasena,clave,secret,api key,private key,access key,token,"
     "otp,pin code,security answer"},
    {card, false, "card number,card no,credit card,creditcard,pan,ccn,kreditkarte,carte bancaire,tarjeta,cvv,cvc"},
    {iban, false,
     "iban,bic,bank account,account number,account no,routing number,sort code,kontonummer,konto nr,numero de compte,"
     "cuenta bancaria,bankverbindung"},
    {ssn, false,
     "ssn,social security,social security number,sozialversicherungsnummer,nir,numero securite sociale,nino"},
    {id_number, false,
     "passport,passport number,passeport,pasaporte,reisepass,tax id,tax number,steuer id,steuernummer,tin,vat id,"
     "national id,id card,identity card,ausweis,personalausweis,driver license,drivers license,driving licence,"
     "license plate,number plate,kennzeichen,dni,nif,nie,curp,rfc,cpf,bsn,pesel,personnummer,aadhaar,insurance number"},
    {birth, false,
     "birth,birthday,birthdate,birth date,date of birth,dob,born,geburtsdatum,geburtstag,geboren,date naissance,"
     "naissance,nacimiento,birth year"},
    {phone, false,
     "phone,telephone,mobile,cell,cellphone,fax,tel,telefon,handy,msisdn,portable,telefono,movil,phone number,whatsapp,"
     "sms number"},
    {first_name, false, "first name,fname,given name,forename,middle name,vorname,prenom,nombre de pila,firstnames"},
    {last_name, false,
     "last name,lname,surname,family name,maiden name,nachname,familienname,geburtsname,nom de famille,apellido,"
     "apellidos"},
    {username, false,
     "user name,login name,nickname,nick,screen name,user handle,benutzername,nom utilisateur,pseudonym"},
    {username, true, "login,handle,account name,display name,pseudo,usuario"},
    {name, false,
     "full name,person name,customer name,contact name,patient name,employee name,holder name,card holder,recipient "
     "name,"
     "sender name,author name,owner name,guest name,client name,cardholder,ansprechpartner"},
    {address, false,
     "street,street address,address line,address,addr,strasse,hausnummer,house number,anschrift,adresse,rue,calle,"
     "direccion,domicile,domicilio,residence"},
    {zip, true, "zip,zip code,postal code,postcode,plz,postleitzahl,code postal,codigo postal"},
    {city, true, "city,town,ort,stadt,wohnort,ville,ciudad,suburb"},
    {place, false, "latitude,longitude,geolocation,coordinates,gps"},
    {place, true, "lat,lon,lng,location,geo"},
    {gender, false, "gender,geschlecht,genero"},
    {gender, true, "sex,sexe,sexo,salutation,anrede"},
    {sensitive, false,
     "religion,konfession,ethnicity,ethnic,nationality,nationalite,nacionalidad,staatsangehoerigkeit,marital status,"
     "familienstand,disability,diagnosis,diagnose,blood type,blood "
     "group,medication,allergies,salary,wage,income,gehalt,"
     "einkommen,salaire,salario,sexual orientation,political,biometric,fingerprint,avatar,photo,foto"},
    {sensitive, true, "race,health,weight,height,picture,signature,job title,occupation"},
    {note, false,
     "note,notes,remark,remarks,comment,comments,bio,biography,feedback,complaint,bemerkung,bemerkungen,notiz,notizen,"
     "kommentar,remarque,commentaire,comentario,nota,transcript"},
    {note, true, "about,description,message,body,content,text,details"},
    {name, true, "name,nom,nombre"},
};

constexpr std::string_view persons =
    "user,customer,person,people,employee,staff,contact,member,patient,student,client,author,teacher,guest,subscriber,"
    "applicant,candidate,driver,passenger,profile,lead,recipient,sender,tenant,citizen,voter,player,buyer,seller,"
    "visitor,"
    "billing,shipping,home,delivery,residence,address,consumer,cardholder,holder,personal,human,child,parent,spouse,"
    "benutzer,kunde,kunden,mitarbeiter,personen,patienten,mieter,bewerber,utilisateur,personne,salarie,usuario,cliente,"
    "empleado,persona,message,ticket,inbox,mailbox";

// Words at the end after which a column is about its subject, and does not hold it.
constexpr std::string_view of_it =
    "id,count,type,kind,verified,at,flag,enabled,status,sent,confirmed,valid,template,format,length,provider,version,"
    "state,score,limit,attempts,required,label,visible,private,opt,optin,subject";
constexpr std::string_view whether = "is,has,can,was,should,allow,allows,num,number of,n,max,min,total,use,send,count";

// Items are separated by commas.
template <typename Use>
bool any_item(std::string_view list, const Use& use) {
    while (!list.empty()) {
        const std::string_view item = list.substr(0, list.find(','));
        if (use(item)) return true;
        list.remove_prefix(std::min(item.size() + 1, list.size()));
    }
    return false;
}

bool is_one_of(std::string_view word, std::string_view list) {
    return any_item(list, [&](std::string_view item) { return item == word; });
}

Words split(std::string_view phrase) {
    Words words;
    while (!phrase.empty()) {
        const std::string_view word = phrase.substr(0, phrase.find(' '));
        words.emplace_back(word);
        phrase.remove_prefix(std::min(word.size() + 1, phrase.size()));
    }
    return words;
}

std::string joined(const Words& words) {
    std::string all;
    for (const std::string& word : words) all += word;
    return all;
}

// Also of several: emails, addresses.
bool is_word(std::string_view word, std::string_view wanted) {
    if (!word.starts_with(wanted)) return false;
    const std::string_view more = word.substr(wanted.size());
    return more.empty() || more == "s" || more == "es";
}

// Where the phrase ends within the words; 0 where it is not there.
std::size_t end_of(const Words& phrase, const Words& words) {
    const auto found = std::search(words.begin(), words.end(), phrase.begin(), phrase.end(), is_word);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin()) + phrase.size();
    const std::string one = joined(phrase);
    const auto whole = std::ranges::find_if(words, [&](const std::string& word) { return is_word(word, one); });
    return whole == words.end() ? 0 : static_cast<std::size_t>(whole - words.begin()) + 1;
}

bool are_of_persons(const Words& about) {
    return std::ranges::any_of(about, [](const std::string& word) {
        const std::string_view one = word;
        return is_one_of(one, persons) || (one.ends_with('s') && is_one_of(one.substr(0, one.size() - 1), persons));
    });
}

// Whether the words after the phrase, or before it, say that the column holds something about it.
bool is_about_it(const Words& words, std::size_t end) {
    return (end < words.size() && is_one_of(words.back(), of_it)) || (words.size() > 1 && is_one_of(words[0], whether));
}

struct Phrase {
    PersonalKind kind;
    bool of_persons;
    Words words;
};

const std::vector<Phrase>& all_phrases() {
    static const std::vector<Phrase> all = [] {
        std::vector<Phrase> made;
        for (const Phrases& entry : names)
            any_item(entry.phrases, [&](std::string_view phrase) {
                made.push_back({entry.kind, entry.of_persons, split(phrase)});
                return false;
            });
        return made;
    }();
    return all;
}

// A date is none of what is written in letters, and so on.
bool can_be(PersonalKind kind, ValueType type) {
    switch (type) {
        case ValueType::boolean:
        case ValueType::time:
        case ValueType::timetz:
        case ValueType::interval:
            return false;
        case ValueType::date:
        case ValueType::timestamp:
        case ValueType::timestamptz:
            return kind == birth;
        case ValueType::number:
            return kind != email && kind != name && kind != first_name && kind != last_name && kind != username &&
                   kind != address && kind != city && kind != ip && kind != mac && kind != user_agent && kind != note &&
                   kind != secret && kind != gender;
        case ValueType::uuid:
            return kind == secret;
        default:
            return true;
    }
}

// Types that hold nothing else.
PersonalKind kind_by_type(const Column& column) {
    switch (column.base_oid != 0 ? column.base_oid : column.type_oid) {
        case 869:  // inet
            return ip;
        case 829:  // macaddr, macaddr8
        case 774:
            return mac;
        default:
            return none;
    }
}

}  // namespace

std::vector<std::string> name_words(std::string_view name) {
    Words words;
    bool lower = false;  // the character before
    bool open = false;
    for (const char c : name) {
        const bool upper = c >= 'A' && c <= 'Z';
        const bool letter = upper || (c >= 'a' && c <= 'z') || (static_cast<unsigned char>(c) & 0x80) != 0;
        if (!letter) {
            open = lower = false;
            continue;
        }
        if (!open || (upper && lower)) words.emplace_back();
        words.back() += ascii_lower(c);
        open = true;
        lower = !upper;
    }
    return words;
}

PersonalKind kind_by_name(const Words& words, const Words& about) {
    const bool of_persons = are_of_persons(about) || are_of_persons(words);
    for (const Phrase& phrase : all_phrases()) {
        if (phrase.of_persons && !of_persons) continue;
        const std::size_t end = end_of(phrase.words, words);
        if (end == 0 || is_about_it(words, end)) continue;
        // A name of something is that thing's; of a person only where it stands alone: "file_name" is none.
        if (phrase.kind == name && phrase.of_persons && words.size() > 1) continue;
        return phrase.kind;
    }
    return none;
}

PersonalKind kind_by_name(const Relation& relation, const Column& column) {
    const ValueType type = value_type(column);
    const PersonalKind kind = kind_by_name(name_words(column.name), name_words(relation.table));
    if (kind != none && can_be(kind, type)) return kind;
    return kind_by_type(column);
}

PersonalKind kind_by_comment(std::string_view comment) {
    const Words words = name_words(comment);
    if (words.empty()) return none;
    const PersonalKind kind = kind_by_name(words, {});
    if (kind != none && kind != note) return kind;
    const bool says_so =
        any_item("pii,gdpr,dsgvo,rgpd,personal data,sensitive,confidential,personenbezogen,private data",
                 [&](std::string_view phrase) { return end_of(split(phrase), words) > 0; });
    return says_so ? labelled : none;
}

}  // namespace pgsluice::rules
