// What a running process does at SIGHUP: it reads its settings again, and each of its parts takes what may change while
// it runs.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "cmd/cli/settings.h"
#include "stream/base/log.h"

namespace pgsluice {

class Reload {
   public:
    // The settings of each part of the process, by its name; usage Error when any of them is wrong.
    using Read = std::function<std::map<std::string, Settings>()>;
    using Take = std::function<void(const Settings&)>;

    Reload(Read read, Log log) : read_(std::move(read)), log_(std::move(log)) {}

    // When something is wrong with the settings, that is logged and nothing changes.
    void operator()();

    // A part that is there; calls come from the thread that watches for signals. It takes what it is given, or logs why
    // not, and throws nothing but Error.
    class Part {
       public:
        Part(Reload& reload, std::string name, Take take);
        ~Part();
        Part(const Part&) = delete;
        Part& operator=(const Part&) = delete;

       private:
        Reload& reload_;
        const std::string name_;
    };

   private:
    void give(const std::string& name, const Take& take, const std::map<std::string, Settings>& settings) const;

    const Read read_;
    const Log log_;
    std::mutex mutex_;
    std::map<std::string, Take> parts_;
};

}  // namespace pgsluice
