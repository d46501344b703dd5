// The names of a group's objects in PostgreSQL and NATS.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice {

struct Names {
    std::string group;                // after the mapping: [a-z0-9_]{1,40}
    std::string stream;               // pgsluice_<group>
    std::string snapshot_subject;     // pgsluice.<group>.snapshot
    std::string changes_subject;      // pgsluice.<group>.changes
    std::string dead_letters;         // pgsluice-dlq_<group>; the stream of parked changes
    std::string dead_letter_subject;  // pgsluice-dlq.<group>
    std::string bucket;               // pgsluice_<group>; the KV bucket
    std::string slot;                 // pgsluice_<group>
    std::string publication;          // pgsluice_<group>
};

// The bucket's key that says whose stream it is, and in which format: encode(GroupInfo).
inline constexpr const char* group_info_key = "group";

// Maps `-` to `_`; a usage Error when the result is not [a-z0-9_]{1,40}.
Names names_for(std::string_view group);
// Checks a worker's name the same way: [a-z0-9_]{1,40} after the mapping of `-` to `_`.
std::string worker_name(std::string_view name);

}  // namespace pgsluice
