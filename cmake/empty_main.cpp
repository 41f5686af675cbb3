// Links a module by itself: a missing entry in DEPS shows as an undefined symbol.
int main() { return 0; }
