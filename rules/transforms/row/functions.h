// The functions of a template, each from a text to a text: {first_name|lower}.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice::rules {

// Whether one of this name takes something after a colon, as in {email|before:@}.
enum class Takes { nothing, text, number };

struct TemplateFunction {
    std::string_view name;
    Takes takes;
    bool of_dates;  // its columns must be dates or timestamps
    // Throws Unreadable.
    std::string (*apply)(std::string_view text, std::string_view argument);
};

// Takes the next word off the text: letters and digits of ASCII, and all that is not ASCII. Empty: there is none.
std::string_view take_word(std::string_view& text);
// With the letters of ASCII small, as with COLLATE "C": what is a small letter elsewhere depends on the server.
std::string lower_letters(std::string_view text);

// Null when there is none.
const TemplateFunction* find_template_function(std::string_view name);
// "lower, upper, ..."
std::string template_function_names();

}  // namespace pgsluice::rules
