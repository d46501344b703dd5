// Following a hint to the letter: what it says to run is taken from its text.
#pragma once

#include <string>
#include <vector>

#include "tests/support/pipeline.h"

namespace pgsluice::test {

// Of what a process wrote: the text after its last "HINT: ".
std::string hint_in(const std::string& err);

// The text from `begin` on, which is part of it, up to `end` or the hint's own end; fails the test without it.
std::string said(const std::string& hint, const std::string& begin, const std::string& end = "");

// A command of pgsluice, as a user runs it whose environment says where the group and its servers are.
Finished run_said(const Pipeline& pipeline, const std::string& command);

// Runs it: it must end with an error whose hint holds `part`. Returns the hint.
std::string refusal(const std::vector<std::string>& argv, const std::string& part);
// The same of a process that runs already.
std::string refusal(Process& process, const std::string& part);

}  // namespace pgsluice::test
