#include "rules/transforms/keyed/keyed.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <atomic>
#include <stdexcept>

#include "rules/transforms/hmac.h"
#include "rules/transforms/secret.h"
#include "rules/values/utf8.h"

namespace pgsluice::rules {
namespace {

Hmac random_key() {
    char key[32];
    if (RAND_bytes(reinterpret_cast<unsigned char*>(key), sizeof key) != 1)
        throw std::runtime_error("OpenSSL gives no random bytes");
    return Hmac({key, sizeof key});
}

struct Source {
    Source(Hmac key, std::string by_column, bool is_random)
        : hmac(std::move(key)), by(std::move(by_column)), random(is_random) {}

    Hmac hmac;
    std::string by;  // a column; empty: the value
    bool random;
    mutable std::atomic<std::uint64_t> drawn = 0;  // of random ones

    [[nodiscard]] Draw draw(std::string_view text) const {
        if (!random) return Draw(hmac.digest(text));
        const std::uint64_t number = drawn++;
        return Draw(hmac.digest({reinterpret_cast<const char*>(&number), sizeof number}));
    }
};

class Keyed : public Transform {
   public:
    Keyed(std::shared_ptr<const Source> source, std::shared_ptr<const Recipe> recipe, ColumnForm form)
        : source_(std::move(source)), recipe_(std::move(recipe)), form_(form) {}

    std::string unfit(const Column& column, ValueType type) const override {
        if (std::string reason = recipe_->unfit(column, type); !reason.empty()) return reason;
        const std::size_t most = is_text(type) ? ColumnForm::of(column, type).most : 0;
        if (most == 0 || recipe_->may_be_cut() || recipe_->longest() <= most) return {};
        return fmt::format("its result has {} characters, but the column holds {}", recipe_->longest(), most);
    }
    std::shared_ptr<const Transform> for_column(const Column& column, ValueType type) const override {
        return std::make_shared<const Keyed>(source_, recipe_, ColumnForm::of(column, type));
    }
    bool keeps_distinct(ValueType /*type*/) const override { return source_->by.empty() && recipe_->keeps_distinct(); }
    bool repeats() const override { return !source_->random; }
    bool reads_text() const override { return recipe_->reads_text(); }
    std::string_view subject() const override { return source_->by; }

    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        return make(text, text, arena);
    }
    Value apply_for(std::string_view text, std::string_view subject, Arena& arena) const override {
        return make(text, subject, arena);
    }

    std::string describe() const override {
        const std::string by = source_->by.empty() ? std::string{} : fmt::format(" by {}", source_->by);
        return fmt::format("{}{}{}", recipe_->describe(), by, source_->random ? ", random" : "");
    }
    // Another secret gives other values.
    std::string meaning() const override {
        return source_->random ? describe() : fmt::format("{} {}", describe(), source_->hmac.proof());
    }

   private:
    [[nodiscard]] Value make(std::string_view text, std::string_view seed, Arena& arena) const {
        thread_local std::string out;
        out.clear();
        Draw draw = source_->draw(seed);
        recipe_->make(draw, text, form_, out);
        if (form_.most > 0 && out.size() > form_.most) shorten(out);
        return Value(arena.copy(out));
    }

    void shorten(std::string& out) const {
        const std::size_t bytes = prefix_bytes(out, form_.most);
        if (bytes < out.size() && !recipe_->may_be_cut())
            throw Unreadable{fmt::format("its result has more characters than the column holds, {}", form_.most)};
        out.resize(bytes);
        // Not a blank at the end: in a key or a char(n) it would be another value, or none.
        while (out.ends_with(' ')) out.pop_back();
    }

    std::shared_ptr<const Source> source_;
    std::shared_ptr<const Recipe> recipe_;
    ColumnForm form_;
};

std::shared_ptr<const Source> keyed_source(std::string_view name, std::string by, std::string secret) {
    auto source = std::make_shared<const Source>(derived_key(name, secret), std::move(by), false);
    OPENSSL_cleanse(secret.data(), secret.size());
    return source;
}

}  // namespace

ColumnForm ColumnForm::of(const Column& column, ValueType type) {
    constexpr std::int32_t header = 4;  // atttypmod counts it
    ColumnForm form;
    form.type = type;
    form.oid = column.base_oid != 0 ? column.base_oid : column.type_oid;
    if (form.oid == 18) form.most = 1;   // "char": the server takes the first byte, without a word
    if (form.oid == 19) form.most = 63;  // name: and of this so many bytes
    if (column.typmod <= header || column.type_oid != form.oid) return form;
    const std::int32_t modifier = column.typmod - header;
    if (form.oid == 1042 || form.oid == 1043) form.most = static_cast<std::size_t>(modifier);
    if (form.oid == 1700) {
        form.precision = modifier >> 16 & 0xffff;
        form.scale = numeric_scale(column.typmod);
    }
    return form;
}

std::string takes_text(const Column& column, ValueType type) {
    return is_text(type) ? std::string{} : takes("text", column);
}

std::unique_ptr<Transform> make_keyed(std::string_view name, std::unique_ptr<const Recipe> recipe, Fields& parameters,
                                      const TransformDefaults& defaults) {
    const std::string by = parameters.text("by").value_or("");
    std::shared_ptr<const Source> source;
    if (parameters.flag("random", false)) {
        if (!by.empty()) throw refuse(parameters.place(), "both 'by' and 'random'");
        source = std::make_shared<const Source>(random_key(), "", true);
        parameters.text("secret_env");
        parameters.text("secret_file");
    } else {
        source = keyed_source(name, by, read_secret(parameters, defaults));
    }
    return std::make_unique<Keyed>(std::move(source), std::move(recipe), ColumnForm{});
}

}  // namespace pgsluice::rules
