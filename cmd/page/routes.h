// The page: its files, which are part of the program, and what they ask for.
#pragma once

#include "cmd/http/routes.h"
#include "cmd/page/board.h"

namespace pgsluice {

// `board` must outlive them.
void add_page(HttpRoutes& routes, const Board& board);

}  // namespace pgsluice
