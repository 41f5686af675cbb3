#include "detail_parser.hpp"

#include <fmt/format.h>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>

namespace serin::http {
namespace {
namespace beast = boost::beast;
using Code = beast::error_code;

// Beast's parser asserts that it is not asked again with less than the smallest last chunk, "0\r\n\r\n", once it has
// seen the beginning of it. A chunked body never ends with fewer bytes than these.
constexpr std::size_t least_of_chunks = 5;
constexpr int most_interim = 16;

std::string_view view_of(boost::core::string_view text) { return {text.data(), text.size()}; }

/// Writes fields where they belong, without a container in between.
class Reader final : public beast::http::basic_parser<false> {
 public:
  explicit Reader(Receiver& receiver) : receiver_(receiver) { eager(true); }
  std::optional<Error> refusal;
  [[nodiscard]] bool is_interim() const noexcept { return interim_; }
  /// What follows is another protocol.
  [[nodiscard]] bool is_switched() const noexcept { return switched_; }

 private:
  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int, Code&) override {}
  void on_response_impl(int code, beast::string_view, int, Code&) override {
    head_.status = code;
    switched_ = code == 101;
    interim_ = code >= 100 && code < 200 && !switched_;
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value, Code&) override {
    head_.headers.add(view_of(name), view_of(value));
  }
  void on_header_impl(Code& error) override {
    if (interim_) return;
    if (auto taken = receiver_.on_head(std::move(head_)); !taken) stop(taken.error(), error);
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(beast::string_view piece, Code& error) override { return take(piece, error); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view piece, Code& error) override {
    return take(piece, error);
  }
  void on_finish_impl(Code&) override {}

  std::size_t take(beast::string_view piece, Code& error) {
    if (auto taken = receiver_.on_body(view_of(piece)); !taken) stop(taken.error(), error);
    return piece.size();
  }
  void stop(const Error& why, Code& error) {
    refusal = why;
    error = beast::http::error::bad_value;
  }

  Receiver& receiver_;
  HttpResponse head_;
  bool interim_ = false;
  bool switched_ = false;
};

}  // namespace

struct Parser::State {
  Limits limits;
  Receiver* receiver = nullptr;
  std::optional<Reader> reader;
  std::string kept;  // what arrived and could not be taken yet
  std::size_t body_limit = 0;
  int interim = 0;
  bool no_body = false;
  bool surplus = false;
  bool some = false;

  void next() {
    reader.emplace(*receiver);
    reader->header_limit(static_cast<std::uint32_t>(limits.head));
    reader->body_limit(body_limit);
    if (no_body) reader->skip(true);
  }
  [[nodiscard]] bool is_done() const { return reader && reader->is_done() && !reader->is_interim(); }
  [[nodiscard]] std::unexpected<Error> failed(const Code& error) const {
    if (reader->refusal) return pass(*reader->refusal);
    if (error == beast::http::error::body_limit)
      return fail(Errc::exhausted, fmt::format("the answer is larger than {} bytes", body_limit));
    if (error == beast::http::error::header_limit)
      return fail(Errc::exhausted, fmt::format("the head of the answer is larger than {} bytes", limits.head));
    return fail(Errc::data_loss, fmt::format("the answer is no HTTP: {}", error.message()));
  }
  /// Takes what it can from the front; returns the rest.
  Result<std::string_view> consume(std::string_view bytes) {
    while (bytes.size() >= (reader->is_header_done() && reader->chunked() ? least_of_chunks : 1)) {
      Code error;
      const std::size_t used = reader->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
      bytes.remove_prefix(used);
      if (error && error != beast::http::error::need_more) return failed(error);
      if (reader->is_done()) {
        if (!reader->is_interim()) break;
        if (++interim > most_interim) return fail(Errc::data_loss, "too many interim answers");
        next();
        continue;
      }
      if (used == 0) break;
    }
    return bytes;
  }
};

Parser::Parser(Limits limits) : state_(std::make_unique<State>()) { state_->limits = limits; }
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

void Parser::begin(Receiver& receiver, bool no_body, std::size_t body_limit) {
  state_->receiver = &receiver;
  state_->no_body = no_body;
  state_->body_limit = body_limit;
  state_->interim = 0;
  state_->surplus = false;
  state_->some = false;
  state_->kept.clear();
  state_->next();
}

Status Parser::put(std::string_view bytes) {
  State& state = *state_;
  if (bytes.empty()) return {};
  state.some = true;
  if (state.is_done()) {
    state.surplus = true;
    return {};
  }
  if (!state.kept.empty()) {
    state.kept += bytes;
    bytes = state.kept;
  }
  SERIN_TRY(const std::string_view rest, state.consume(bytes));
  if (state.is_done()) {
    state.surplus = !rest.empty();
    state.kept = {};
    return {};
  }
  // A head, a chunk's head or a trailer without an end.
  if (rest.size() > state.limits.head)
    return fail(Errc::exhausted, fmt::format("the head of the answer is larger than {} bytes", state.limits.head));
  std::string left(rest);
  state.kept = std::move(left);
  return {};
}

Status Parser::end() {
  State& state = *state_;
  if (state.is_done()) return {};
  if (state.reader->is_header_done() && !state.reader->is_interim() && state.reader->need_eof() && state.kept.empty()) {
    Code error;
    state.reader->put_eof(error);
    if (error) return state.failed(error);
    return {};
  }
  return fail(Errc::unavailable, state.some ? "closed in the middle of the answer" : "closed without an answer");
}

bool Parser::is_done() const noexcept { return state_->is_done(); }
bool Parser::got_some() const noexcept { return state_->some; }
bool Parser::is_reusable() const noexcept {
  return is_done() && !state_->surplus && state_->reader->keep_alive() && !state_->reader->need_eof() &&
         !state_->reader->is_switched();
}

}  // namespace serin::http
