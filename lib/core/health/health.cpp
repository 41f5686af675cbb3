#include "serin/health/health.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine.hpp"

namespace serin::health {

Result<std::unique_ptr<Health>> Health::make(HealthOptions options, const Clock& clock, HealthParts parts) {
  std::vector<std::string> mistakes;
  if (options.threads < 1 || options.threads > 256) mistakes.emplace_back("threads must be 1..256");
  if (options.shutdown_grace < Duration::zero()) mistakes.emplace_back("shutdown_grace must be >= 0");
  if (!mistakes.empty()) return fail(Errc::invalid_argument, fmt::format("{}", fmt::join(mistakes, "; ")));
  auto engine = std::make_unique<Engine>(options, clock, parts);
  engine->begin();
  return std::unique_ptr<Health>(new Health(std::move(engine)));
}

Health::Health(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Health::~Health() { engine_->stop(); }

Status Health::add(CheckOptions options, CheckFunction check) {
  return engine_->insert(std::move(options), std::move(check), {}, false);
}
Status Health::add_async(CheckOptions options, AsyncCheckFunction check) {
  return engine_->insert(std::move(options), {}, std::move(check), false);
}
Status Health::add_pushed(CheckOptions options) { return engine_->insert(std::move(options), {}, {}, true); }
Status Health::push(std::string_view name, CheckAnswer answer) { return engine_->push(name, std::move(answer)); }
Status Health::remove(std::string_view name) { return engine_->remove(name); }

std::optional<HealthReport> Health::report(const Selection& selection) const {
  return engine_->read([&](const Snapshot& known) { return known.report(selection, engine_->now()); });
}
void Health::ask(const Selection& selection, Deadline deadline, std::function<void(std::optional<HealthReport>)> done) {
  engine_->ask(selection, deadline, std::move(done));
}
std::uint64_t Health::version() const noexcept { return engine_->version(); }

std::vector<std::string> Health::groups() const {
  return engine_->read([](const Snapshot& known) {
    std::vector<std::string> out;
    for (const auto& check : known.checks)
      for (const std::string& group : check->options->groups)
        if (std::ranges::find(out, group) == out.end()) out.push_back(group);
    return out;
  });
}
std::vector<std::string> Health::tags(std::string_view check) const {
  return engine_->read([&](const Snapshot& known) {
    for (const auto& one : known.checks)
      if (one->options->name == check) return one->options->tags;
    return std::vector<std::string>{};
  });
}

void Health::on_change(std::function<void()> listener) { engine_->on_change(std::move(listener)); }

HealthStatus Health::status(Kind kind) const noexcept {
  return engine_->read([&](const Snapshot& known) { return known.status(kind, engine_->now()); });
}
Phase Health::phase() const noexcept {
  return engine_->read([](const Snapshot& known) { return known.phase; });
}
std::size_t Health::stuck() const noexcept {
  return engine_->read([&](const Snapshot& known) {
    const Instant now = engine_->now();
    return static_cast<std::size_t>(std::ranges::count_if(
        known.checks, [&](const auto& check) { return check->run && now > check->run->deadline; }));
  });
}

void Health::mark_started() { engine_->happened(Engine::Event::started); }
void Health::refuse(std::string reason) { engine_->happened(Engine::Event::refused, std::move(reason)); }
void Health::accept() { engine_->happened(Engine::Event::accepted); }
void Health::begin_drain() { engine_->happened(Engine::Event::draining); }
bool Health::stop() { return engine_->stop(); }
Instant Health::poll() { return engine_->poll(); }

}  // namespace serin::health
