#include "worker/rules/in_force.h"

#include <utility>

namespace pgsluice {

RulesInForce::RulesInForce(const RulesOptions& options)
    : in_force_(std::make_shared<const RulesFiles>(read_rules_files(options))) {}

RulesInForce::Found RulesInForce::read_again(const RulesOptions& options) {
    auto files = std::make_shared<const RulesFiles>(read_rules_files(options));
    const std::lock_guard lock(mutex_);
    const bool same = say_the_same(*files, *in_force_);
    waiting_ = same ? nullptr : std::move(files);
    waits_ = !same;
    if (!same) return Found::waiting;
    return options.rules_file.empty() && options.routing_file.empty() ? Found::none : Found::same;
}

RulesInForce::Files RulesInForce::next() const {
    const std::lock_guard lock(mutex_);
    return waiting_ ? waiting_ : in_force_;
}

bool RulesInForce::in_force(const Files& files) const {
    const std::lock_guard lock(mutex_);
    return files == in_force_;
}

void RulesInForce::put_in_force(const Files& files) {
    const std::lock_guard lock(mutex_);
    in_force_ = files;
    drop(files);
}

void RulesInForce::refuse(const Files& files) {
    const std::lock_guard lock(mutex_);
    drop(files);
}

void RulesInForce::drop(const Files& files) {
    if (waiting_ != files) return;  // others came meanwhile
    waiting_.reset();
    waits_ = false;
}

}  // namespace pgsluice
