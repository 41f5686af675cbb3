#include "verb_steer.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "releases.hpp"
#include "seat.hpp"
#include "serin/rollout/report.hpp"
#include "steering.hpp"
#include "target.hpp"

namespace serin::tool {
namespace {

namespace json = boost::json;

std::string as_json(const control::KeptOrder& kept) {
  return json::serialize(json::object{{"order", kept.order.id},
                                      {"rollout", kept.order.rollout},
                                      {"kind", std::string(rollout::order_name(kept.order.kind))},
                                      {"by", kept.order.by},
                                      {"reason", kept.order.reason},
                                      {"accepted", kept.answer->accepted},
                                      {"answer", kept.answer->text}}) +
         "\n";
}

void tell(RealContext& context, const SteerFlags& flags, const control::KeptOrder& kept) {
  if (flags.json) context.out(as_json(kept));
  const std::string what = fmt::format("order {} to rollout {}", kept.order.id, kept.order.rollout);
  if (!kept.answer->accepted)
    return context.fail_with(fail(Errc::conflict, fmt::format("{} was refused: {}", what, kept.answer->text)).error());
  if (!flags.json) context.out(fmt::format("{}: {}\n", what, kept.answer->text));
}

Result<control::KeptOrder> give(RealContext& context, const SteerFlags& flags, rollout::OrderKind kind) {
  SERIN_TRY(const Duration wait, parse_duration(flags.wait));
  SERIN_TRY(Session* const session, session_for(context, flags.service));
  SERIN_TRY(const config::ServiceSpec* const service, find_service(session->spec, flags.service));
  return steer(context, *session,
               {.service = service->name, .kind = kind, .percent = flags.stage, .reason = flags.reason, .wait = wait});
}

void order(RealContext& context, const SteerFlags& flags, rollout::OrderKind kind) {
  const Result<control::KeptOrder> kept = give(context, flags, kind);
  if (!kept) return context.fail_with(kept.error());
  tell(context, flags, *kept);
}

CLI::App* add(CLI::App& app, SteerFlags& flags, const std::string& name, const std::string& what) {
  CLI::App* verb = app.add_subcommand(name, what);
  verb->add_option("service", flags.service, "Service of the fleet")->required();
  verb->add_option("--reason", flags.reason, "Why, for the journal");
  verb->add_option("--wait", flags.wait, "For the answer of the process that drives the rollout")
      ->capture_default_str();
  add_json_flag(*verb, flags.json);
  verb->footer("Exit codes: 0 it is so, 2 usage or file, 3 refused, or not answered yet; the sentence says why.");
  return verb;
}

}  // namespace

bool end_pause(RealContext& context, const SteerFlags& flags) {
  const Result<control::KeptOrder> kept = give(context, flags, rollout::OrderKind::resume);
  // Nobody drives it, so it is taken up; or none is open, which taking up says better.
  if (!kept && kept.error().code() == Errc::conflict) return false;
  if (kept)
    tell(context, flags, *kept);
  else
    context.fail_with(kept.error());
  return true;
}

void add_steer_verbs(CLI::App& app, RealContext& context) {
  auto flags = std::make_shared<SteerFlags>();
  CLI::App* pause = add(app, *flags, "pause", "A running rollout stays in its stage, watched, until `serin resume`");
  pause->callback([flags, &context] { order(context, *flags, rollout::OrderKind::pause); });
  CLI::App* promote = add(app, *flags, "promote", "A running rollout leaves its stage now, proved or not");
  promote->add_flag("--full", flags->full, "Straight to 100 %, without further stages and checks");
  promote->callback([flags, &context] {
    order(context, *flags, flags->full ? rollout::OrderKind::promote_full : rollout::OrderKind::promote);
  });
  CLI::App* abort = add(app, *flags, "abort", "A running rollout puts the old split back now");
  abort->callback([flags, &context] { order(context, *flags, rollout::OrderKind::abort); });
  CLI::App* approve = add(app, *flags, "approve", "Yes, to a rollout that waits for an approval of its plan");
  approve->add_option("--stage", flags->stage, "Only if it waits before this percentage")
      ->check(CLI::Range(0.0, 100.0));
  approve->callback([flags, &context] { order(context, *flags, rollout::OrderKind::approve); });
  CLI::App* reject =
      add(app, *flags, "reject", "No, to a rollout that waits for an approval: the old split is put back");
  reject->add_option("--stage", flags->stage, "Only if it waits before this percentage")->check(CLI::Range(0.0, 100.0));
  reject->callback([flags, &context] { order(context, *flags, rollout::OrderKind::reject); });
}

}  // namespace serin::tool
