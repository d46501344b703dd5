// currency: a code of ISO 4217.
#include <iterator>

#include "rules/transforms/keyed/keyed.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

constexpr std::string_view codes[] = {
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD", "BIF", "BMD",
    "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP", "CRC",
    "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL",
    "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR",
    "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP",
    "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK",
    "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR",
    "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SOS",
    "SRD", "SSP", "STN", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH",
    "UGX", "USD", "UYU", "UZS", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW"};

class Currency : public Recipe {
   public:
    std::string unfit(const Column& column, ValueType type) const override { return takes_text(column, type); }
    std::size_t longest() const override { return 3; }
    void make(Draw& draw, std::string_view /*text*/, const ColumnForm& /*form*/, std::string& out) const override {
        out += codes[draw.below(std::size(codes))];
    }
    std::string describe() const override { return "made-up currency"; }
};

}  // namespace

std::unique_ptr<Transform> make_currency(Fields& parameters, const TransformDefaults& defaults) {
    return make_keyed("currency", std::make_unique<Currency>(), parameters, defaults);
}

}  // namespace pgsluice::rules
