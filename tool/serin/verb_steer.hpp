#pragma once
#include <string>

#include "real_context.hpp"

namespace serin::tool {

struct SteerFlags {
  std::string service;
  std::string reason;
  std::string wait = "30s";
  bool full = false;
  double stage = 0;
  bool json = false;
};

/// `serin pause | promote | abort | approve | reject`: a running rollout is steered from elsewhere. \param context
/// outlives the parsing
void add_steer_verbs(CLI::App& app, RealContext& context);

/// Tells a living process that its rollout is not paused any more. False: none drives the service's rollout, and
/// nothing was done.
bool end_pause(RealContext& context, const SteerFlags& flags);

}  // namespace serin::tool
