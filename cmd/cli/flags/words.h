// What the tables of flags are written in.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "cmd/cli/flag.h"
#include "cmd/cli/flag_values.h"
#include "cmd/cli/value.h"

namespace pgsluice::flag_words {

using namespace flag_values;

using S = Settings;
using V = std::string_view;
inline constexpr auto text = FlagKind::text;
inline constexpr auto secret = FlagKind::secret;
inline constexpr auto boolean = FlagKind::boolean;
inline constexpr auto list = FlagKind::list;
inline constexpr auto repeated = FlagKind::repeated;
inline constexpr auto postgres = command_worker_postgres;
inline constexpr auto webhook = command_worker_webhook;
inline constexpr auto webhook_side = command_worker_webhook | command_dlq_replay | command_import_webhook;
inline constexpr auto postgres_sinks = command_worker_postgres | command_import_postgres;
inline constexpr auto file_sinks = command_worker_file | command_import_file;
inline constexpr auto webhook_sinks = command_worker_webhook | command_import_webhook;
inline constexpr auto nats_sinks = command_worker_nats | command_import_nats;
inline constexpr auto line_sinks = commands_line_sinks | (commands_import & ~command_import_postgres);
inline constexpr auto replicator = command_replicator;
inline constexpr auto watches = command_status | command_serve;
inline constexpr auto serves = commands_process | command_serve;
inline constexpr auto source_side = command_replicator | command_teardown | command_status | command_check_rules |
                                    command_compare | command_cutover | command_check_leaks | command_decrypt;
inline constexpr auto chooses_tables = command_replicator | command_check_rules | command_check_leaks | command_compare;
inline constexpr auto names_tables = chooses_tables | command_resnapshot;
inline constexpr auto target_side = postgres_sinks | command_teardown | command_dlq_replay | command_compare |
                                    command_sequences | command_cutover | command_check_leaks;
inline constexpr auto comparing = command_compare | command_cutover;

}  // namespace pgsluice::flag_words
