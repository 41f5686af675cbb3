// An Error is made by fail() only: no text turns into one by accident.
#include "serin/base/error.hpp"
serin::Error make() { return serin::Error(serin::Errc::internal, "x"); }
int main() {}
