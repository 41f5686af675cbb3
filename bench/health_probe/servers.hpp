#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serin/ports/http.hpp"

namespace serin::probe {

/// The same answer for everybody, field by field what nginx sends.
inline constexpr std::string_view body = R"({"status":"up","service":"bench","draining":false})";
[[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields();
[[nodiscard]] std::string nginx_configuration(const std::string& folder, std::uint16_t port);

/// "/health" is prepared; "/hang" never answers while it lives; anything else is handled like "/health".
class Constant final : public HttpHandler {
 public:
  Constant();
  ~Constant() override;
  [[nodiscard]] bool is_immediate(const HttpRequest& request) const noexcept override;
  HttpResponse handle(const HttpRequest& request) override;
  [[nodiscard]] std::shared_ptr<const std::string> prepared(const HttpHead& head) const noexcept override;

 private:
  struct Hang;
  std::shared_ptr<const std::string> bytes_;
  std::unique_ptr<Hang> hang_;
};

/// Serves until it is killed. False, when the name is none of these: serin, serin_hung, beast, beast_serin, httplib,
/// httplib_serin.
bool serve(std::string_view name, std::uint16_t port);

/// Boost's own asynchronous example, with a timeout for each operation. `handler` may be null: answered by hand.
void serve_beast(std::uint16_t port, HttpHandler* handler);
/// Opens connections that ask for `target` and never read the answer; they stay open until the program ends.
void send_and_forget(std::uint16_t port, std::string_view target, int times);

}  // namespace serin::probe
