#include "rules/transforms/secret.h"

#include <cstdlib>
#include <utility>

#include "stream/process/text_file.h"

namespace pgsluice::rules {
namespace {

std::string read_secret_file(const std::string& path, const Place& place) {
    auto secret = read_text_file(path);
    if (!secret) throw refuse(place, "unable to read the file that 'secret_file' names");
    while (secret->ends_with('\n') || secret->ends_with('\r')) secret->pop_back();
    return std::move(*secret);
}

std::string read_secret_env(const std::string& name, const Place& place) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) throw refuse(place, "the environment variable that 'secret_env' names is not set");
    return value;
}

}  // namespace

std::string read_secret(Fields& parameters, const TransformDefaults& defaults) {
    auto env = parameters.text("secret_env");
    auto file = parameters.text("secret_file");
    if (env && file) throw refuse(parameters.place(), "both 'secret_env' and 'secret_file'");
    if (!env && !file) {
        env = defaults.secret_env;
        file = defaults.secret_file;
    }
    std::string secret;
    if (env && !env->empty()) {
        secret = read_secret_env(*env, parameters.place());
    } else if (file && !file->empty()) {
        secret = read_secret_file(*file, parameters.place());
    } else {
        throw refuse(parameters.place(), "no secret",
                     "Set secret_env or secret_file, here or at the top of the file, to where the secret is kept.");
    }
    if (secret.empty()) throw refuse(parameters.place(), "the secret is empty");
    return secret;
}

}  // namespace pgsluice::rules
