// All forms of ddl_forms.h through a real source, replicator, stream, worker and target at once, each in schemas of its
// own, in one setting: how they are run and in what session, and what the group takes in.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/support/ddl_forms.h"
#include "tests/support/pipeline.h"

namespace pgsluice::test {

class DdlFormsRun : public Pipeline {
   public:
    using Texts = std::vector<std::string>;

    struct Setting {
        std::string name;
        // What a form is run as, given the form and its schema.
        std::function<Texts(const std::string& form, const std::string& schema)> way{};
        std::string session{};                // statements that begin each session
        Texts selection = {"--all-schemas"};  // of tables
    };

    explicit DdlFormsRun(Setting setting);

    // Makes what the forms are about, runs the forms and, once all has arrived, compares. What differs, by the number
    // of the form, from 0; a form that has failed on the source says so.
    std::map<std::size_t, std::string> run();
    // Then the target must have nothing left.
    void drop_all();

    // Whether both servers know the form.
    [[nodiscard]] bool runs(std::size_t number) const;

   private:
    void run_on_source(std::size_t number, const Texts& texts);
    [[nodiscard]] std::map<std::size_t, std::string> differences();
    void await_arrival();
    void leave_out();
    void await_equal();

    Setting setting_;
    int mark_ = 0;           // below those of settle()
    int version_ = 1000000;  // of the older server
    std::vector<const DdlForm*> forms_;
    std::map<std::size_t, std::string> failed_;
};

}  // namespace pgsluice::test
