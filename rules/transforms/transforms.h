// The make functions of all transforms; see transform_table.cc.
#pragma once

#include <memory>

#include "rules/transforms/transform.h"

namespace pgsluice::rules {

std::unique_ptr<Transform> make_mask(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_regex(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_password_hash(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_encrypt(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_encrypt_digits(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_encrypt_number(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_array(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_hstore(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_xml(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_null(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_constant(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_redact(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_hash(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_truncate(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_json(Fields& parameters, const TransformDefaults& defaults);

std::unique_ptr<Transform> make_integer(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_numeric(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_float(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_noise(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_date(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_time(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_timestamp(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_shift(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_truncate_date(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_boolean(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_choice(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_uuid(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_first_name(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_last_name(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_name(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_username(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_email(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_phone(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_company(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_street(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_street_address(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_city(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_zip(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_country(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_ipv4(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_ipv6(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_mac(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_domain(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_url(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_credit_card(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_iban(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_ssn(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_date_of_birth(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_title(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_gender(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_industry(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_product(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_product_description(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_job_title(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_state(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_latitude(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_longitude(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_user_agent(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_currency(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_month(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_weekday(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_year(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_password(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_word(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_words(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_sentence(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_paragraph(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_digits(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_characters(Fields& parameters, const TransformDefaults& defaults);
std::unique_ptr<Transform> make_pattern(Fields& parameters, const TransformDefaults& defaults);

}  // namespace pgsluice::rules
