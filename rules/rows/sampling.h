// Which rows a sample keeps: those with a value of one column whose keyed hash is below a limit.
//
// The same value is kept in every table, in every run and on every machine; another secret keeps others. So a column
// that refers to a sampled one is kept, or not, with the row that it refers to, and nothing has to be looked up. NULL
// is kept: it refers to nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "rules/file/fields.h"
#include "rules/transforms/hmac.h"
#include "rules/transforms/transform.h"
#include "rules/values/value_type.h"

namespace pgsluice::rules {

class Sampling {
   public:
    // percent, one_in, or limit and of; and where the secret is.
    static std::shared_ptr<const Sampling> read(Fields& parameters, const TransformDefaults& defaults);

    // Of 2^64 values that a hash can have. `text`: "5 percent".
    struct Share {
        unsigned __int128 limit = 0;
        std::string text;
    };
    Sampling(std::string_view secret, Share share);

    // Why equal values of the column may not be of one text; empty where they are.
    static std::string unfit(const Column& column);
    // Whether equal values of the two columns, which are fit, are of one text.
    static bool same_texts(const Column& one, const Column& other);

    // A value of a column of this type; blanks that pad a char(n) are cut off.
    [[nodiscard]] bool keeps(std::string_view text, ValueType type) const;
    // "a sample of 5 percent"
    [[nodiscard]] std::string describe() const;
    // All that it depends on.
    [[nodiscard]] const std::string& meaning() const { return meaning_; }

   private:
    Hmac hmac_;
    Share share_;
    std::string meaning_;
};

}  // namespace pgsluice::rules
