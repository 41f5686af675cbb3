// The name of a release is not the name of a service.
#include "serin/base/name.hpp"
serin::ServiceName mix(const serin::ReleaseName& release) { return release; }
int main() {}
