#pragma once
#include <memory>
#include <string>

#include "serin/ports/bus.hpp"
#include "serin/ports/clock.hpp"
#include "serin/ports/documents.hpp"

namespace serin::google_test {

/// A bus and documents of one kind, empty, gone with the object.
class Place {
 public:
  virtual ~Place() = default;
  virtual Bus& bus() = 0;
  virtual Documents& documents() = 0;
};
/// "sqlite", or "google": an emulator of its own.
std::unique_ptr<Place> make_place(const std::string& kind);
Sleeper& real_time();

}  // namespace serin::google_test
