// What the table of flags makes of a text: values that value.h has no general reader for, and settings of several
// parts.
//
// All throw BadValue.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cmd/cli/settings.h"
#include "cmd/http/listen_address.h"
#include "sql/lsn.h"

namespace pgsluice::flag_values {

int small(std::string_view v, int min, int max);
// From 1ms to 24h.
int milliseconds(std::string_view v);
int milliseconds_or_0(std::string_view v);
// 0, or from 1 s to 24 h.
int heartbeat_interval(std::string_view v);
// "0" is never.
std::optional<double> seconds_or_never(std::string_view v);
// 0, or from 0.01 to 100.
double percent(std::string_view v);
// One for all hosts, or one for each: "5432,5433".
std::string port(std::string_view v);
// Anything but nothing.
std::string present(std::string_view v);
std::string inbox_prefix(std::string_view v);
std::string js_domain(std::string_view v);
ListenAddress http_listen(std::string_view v);
// The token that is the file's text.
std::string http_token(std::string_view file);
std::string http_header(std::string_view v);
Lsn lsn(std::string_view v);
// "2/4".
Share share(std::string_view v, ShareBy by);

// Of every sink that writes lines.
void set_format(Settings& s, std::string_view v);
void set_on_error(Settings& s, std::string_view v);
// "ignore", or "shop.orders=ignore".
void set_on_conflict(Settings& s, std::string_view v);
// One of views, functions, ...: kept as the class of their definitions.
void add_ddl_objects(Settings& s, std::string_view v);
// "none", "zstd", or with a level: "zstd:9".
void set_stream_compression(Settings& s, std::string_view v);
// "100MB", or "1000rows".
void set_recopy_limit(Settings& s, std::string_view v);

}  // namespace pgsluice::flag_values
