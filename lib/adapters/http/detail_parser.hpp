#pragma once
#include <cstddef>
#include <memory>
#include <string_view>

#include "serin/ports/http.hpp"

namespace serin::http {

/// Takes what a parser finds. The pieces are valid during the call.
class Receiver {
 public:
  virtual ~Receiver() = default;
  /// Status and headers are complete. An error ends the parsing with it.
  virtual Status on_head(HttpResponse head) = 0;
  virtual Status on_body(std::string_view piece) = 0;
};

/// Answers of HTTP/1.1 from bytes in any pieces. Interim answers (1xx but 101) are left out. Pure.
class Parser {
 public:
  struct Limits {
    std::size_t head = 64u << 10;
    std::size_t body = 64u << 20;
  };
  explicit Parser(Limits limits);
  ~Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;

  /// Before each answer. \param no_body  the request was HEAD or CONNECT
  void begin(Receiver& receiver, bool no_body, std::size_t body_limit);
  /// Takes bytes; those behind the end of the answer are left in it and make it not reusable.
  /// Errors: data_loss (not HTTP), exhausted (over a limit), and what the receiver says.
  Status put(std::string_view bytes);
  /// The peer sends no more. Errors: unavailable (in the middle of an answer).
  Status end();

  [[nodiscard]] bool is_done() const noexcept;
  /// Something of the answer has arrived, if only an interim one.
  [[nodiscard]] bool got_some() const noexcept;
  /// Only when done: the connection may carry another request.
  [[nodiscard]] bool is_reusable() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace serin::http
