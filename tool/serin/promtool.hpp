#pragma once
#include <memory>
#include <string>
#include <vector>

#include "serin/monitor/documents.hpp"

namespace serin::tool {

/// Runs Prometheus' and Alertmanager's own tools over documents, in a folder of its own that goes away with it.
/// Threads: main's.
class MonitorTools {
 public:
  /// Writes the documents. Errors: unavailable when there is no folder to be had, exhausted.
  static Result<std::unique_ptr<MonitorTools>> make(const std::vector<monitor::Document>& documents);
  ~MonitorTools();
  MonitorTools(const MonitorTools&) = delete;
  MonitorTools& operator=(const MonitorTools&) = delete;

  struct Ran {
    bool well = false;
    std::string output;  ///< both of its streams
  };
  /// Runs a tool in the folder. Errors: unavailable when it is not installed, with the package's name: nothing that did
  /// not run is ever taken for success.
  Result<Ran> run(const std::vector<std::string>& command);

 private:
  explicit MonitorTools(std::string folder);
  std::string folder_;
};

}  // namespace serin::tool
