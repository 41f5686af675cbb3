#pragma once
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "serin/ports/clock.hpp"
#include "serin/ports/http.hpp"

namespace serin::google {

/// An HTTP client without a network: answers as the test says and remembers what was asked, and when. Threads: any.
class ScriptedHttp final : public HttpClient {
 public:
  struct Asked {
    std::string origin;
    HttpRequest request;
    Deadline deadline;
    Instant at;
  };
  using Answer = std::function<Result<HttpResponse>(const HttpRequest&)>;
  explicit ScriptedHttp(const Clock& clock) : clock_(clock) {}

  /// The next call gets this; the last answer repeats.
  ScriptedHttp& then(Answer answer) {
    answers_.push_back(std::move(answer));
    return *this;
  }
  ScriptedHttp& then(int status, std::string body = "{}", HttpHeaders headers = {}) {
    return then([=](const HttpRequest&) -> Result<HttpResponse> {
      return HttpResponse{.status = status, .headers = headers, .body = body};
    });
  }
  ScriptedHttp& then(Errc code, const std::string& text) {
    return then([=](const HttpRequest&) -> Result<HttpResponse> { return fail(code, text); });
  }
  /// Forgets what is left of the script and what was asked.
  void clear() {
    const std::scoped_lock lock(mutex_);
    answers_.clear();
    asked_.clear();
  }
  using HttpClient::send;
  Result<HttpResponse> send(std::string_view origin, HttpRequest request, Deadline deadline,
                            std::stop_token stop) override {
    Answer answer;
    {
      const std::scoped_lock lock(mutex_);
      asked_.push_back({std::string(origin), request, deadline, clock_.now()});
      if (answers_.empty())
        return fail(Errc::internal, "the script is empty: " + request.method + " " + request.target);
      answer = answers_.front();
      if (answers_.size() > 1) answers_.pop_front();
    }
    if (stop.stop_requested()) return fail(Errc::cancelled, "given up");
    return answer(request);
  }
  [[nodiscard]] std::vector<Asked> asked() const {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }
  [[nodiscard]] std::size_t count() const { return asked().size(); }
  [[nodiscard]] HttpRequest last() const { return asked().back().request; }

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::deque<Answer> answers_;  // guarded by mutex_, as is asked_
  std::vector<Asked> asked_;
};

[[nodiscard]] inline std::string header(const HttpRequest& request, std::string_view name) {
  return std::string(request.headers.find(name).value_or("(none)"));
}

}  // namespace serin::google
