// A module that declares only `base` cannot reach a header of `ports`.
#include "serin/ports/clock.hpp"
int main() {}
