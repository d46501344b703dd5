// pgsluice check as a process, and its report.
#pragma once

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/text.h"

namespace pgsluice::test {

struct CheckReport {
    explicit CheckReport(const std::vector<std::string>& argv) : finished(run(argv)) {
        std::istringstream out(finished.out);
        for (std::string line; std::getline(out, line);) lines.push_back(line);
    }

    // The line that begins so and has this text; fails the test without one.
    std::string line(const std::string& begin, const std::string& part) const {
        for (const std::string& each : lines)
            if (each.rfind(begin, 0) == 0 && contains(each, part)) return each;
        FAIL_CHECK("no line '" << begin << "' with '" << part << "' in\n" << finished.out << finished.err);
        return "";
    }
    [[nodiscard]] bool has(const std::string& begin) const {
        for (const std::string& each : lines)
            if (each.rfind(begin, 0) == 0) return true;
        return false;
    }
    [[nodiscard]] std::string text() const { return finished.out + finished.err; }

    Finished finished;
    std::vector<std::string> lines;
};

}  // namespace pgsluice::test
