// Apart from main(): benches link this, too.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
