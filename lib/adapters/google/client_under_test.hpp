#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "scripted_http.hpp"
#include "serin/google/api.hpp"
#include "serin/google/place.hpp"
#include "serin/sim/world.hpp"

namespace serin::google {

/// A client over a scripted HTTP client and fake time. \tparam Client  as Clients::get() takes it
template <class Client>
class ClientUnderTest : public testing::Test {
 protected:
  ClientUnderTest() : client(api_of(), Place{.project = "p", .location = "l"}) {}
  Deadline in(Duration time) { return Deadline::after(world.now(), time); }
  Deadline soon() { return in(10min); }
  /// "POST /v1/x", of the call that was made last or as the nth.
  [[nodiscard]] std::string asked(std::size_t n) const {
    const auto all = http.asked();
    return n < all.size() ? all[n].request.method + " " + all[n].request.target : "(none)";
  }
  [[nodiscard]] std::string asked() const { return asked(http.count() - 1); }

  sim::World world;
  ScriptedHttp http{world.sleeper()};
  FixedToken token{"t"};
  Client client;

 private:
  std::shared_ptr<Api> api_of() { return *Api::make(http, token, world.sleeper(), world.random(), Client::defaults()); }
};

}  // namespace serin::google
