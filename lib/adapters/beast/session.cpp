#include <fmt/format.h>

#include <boost/beast/http/error.hpp>

#include "detail_session.hpp"
#include "serin/base/text.hpp"
#include "serin/wire/wire.hpp"

namespace serin::serving {
namespace {
namespace beast = boost::beast;

constexpr std::size_t small_read = 4096;   // a head; what an idle connection keeps
constexpr std::size_t large_read = 65536;  // of a body
// Beast's parser asserts that it is not asked again with less than the smallest last chunk, "0\r\n\r\n", once it has
// seen the beginning of it (found by session_fuzz). A chunked body never ends with fewer bytes than these.
constexpr std::size_t least_of_chunks = 5;
constexpr std::size_t write_at = 65536;  // answers gathered for a client that pipelines, before they must go out

std::string_view view_of(boost::core::string_view text) { return {text.data(), text.size()}; }

int status_of(const beast::error_code& error) {
  if (error == beast::http::error::header_limit) return 431;
  if (error == beast::http::error::body_limit) return 413;
  return 400;
}

}  // namespace

boost::asio::mutable_buffer Session::room() {
  const bool body = parser_ && parser_->is_header_done();
  return in_.prepare(body ? large_read : small_read);
}

std::string_view Session::pending() const noexcept {
  return prepared_ ? piece_ : std::string_view(out_).substr(out_sent_);
}

void Session::sent(std::size_t size) {
  if (prepared_) {
    piece_.remove_prefix(size);
    if (piece_.empty()) prepared_.reset();
    return;
  }
  out_sent_ += size;
  if (out_sent_ < out_.size()) return;
  // An idle connection keeps no large buffer.
  if (out_.capacity() > write_at) out_ = {};
  out_.clear();
  out_sent_ = 0;
}

void Session::append(std::string_view bytes, const std::shared_ptr<const std::string>& owner) {
  if (prepared_) {
    out_.assign(piece_);
    prepared_.reset();
  }
  if (owner && out_.empty() && in_.size() == 0) {
    prepared_ = owner;
    piece_ = bytes;
  } else {
    out_ += bytes;
  }
}

bool Session::answer_prepared() {
  const auto head = wire::read_plain_head({static_cast<const char*>(in_.cdata().data()), in_.size()});
  if (!head || head->size > limits_.head) return false;
  const std::shared_ptr<const std::string> bytes = handler_.prepared(head->head);
  if (!bytes || bytes->empty()) return false;
  const std::string_view piece = wire::answer_to(head->head.method, *bytes);
  in_.consume(head->size);
  append(piece, bytes);
  answered_ = true;
  return true;
}

Session::Step Session::next(bool leaving) {
  if (ends_) return pending().empty() ? Step::close : Step::write;
  if (!parser_) {
    while (!leaving && in_.size() != 0 && pending().size() < write_at && answer_prepared()) {
    }
    if (pending().size() >= write_at) return Step::write;
    if (in_.size() == 0) return pending().empty() ? Step::read : Step::write;
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(static_cast<std::uint32_t>(limits_.head));
    parser_->body_limit(limits_.body);
    told_to_continue_ = false;
  }
  const Step step = parse();
  return step == Step::read && !pending().empty() ? Step::write : step;
}

Session::Step Session::parse() {
  const auto has_enough = [&] {
    return in_.size() >= (parser_->is_header_done() && parser_->chunked() ? least_of_chunks : 1);
  };
  while (has_enough()) {
    beast::error_code error;
    const std::size_t used = parser_->put(in_.data(), error);
    in_.consume(used);
    if (parser_->is_done()) return Step::request;
    if (error && error != beast::http::error::need_more) return refuse(status_of(error), error.message());
    // A chunk or a trailer without an end is a head without one.
    if (in_.size() > limits_.head) return refuse(431, "header limit exceeded");
    if (used == 0) break;
  }
  if (parser_->is_header_done() && !told_to_continue_) {
    told_to_continue_ = true;
    if (equal_ignoring_case(view_of(parser_->get()[beast::http::field::expect]), "100-continue"))
      append("HTTP/1.1 100 Continue\r\n\r\n", nullptr);
  }
  return Step::read;
}

HttpRequest Session::take() {
  keep_alive_ = parser_->keep_alive();
  beast::http::request<beast::http::string_body> message = parser_->release();
  old_client_ = message.version() < 11;
  head_only_ = message.method() == beast::http::verb::head;
  HttpRequest request{.method = std::string(view_of(message.method_string())),
                      .target = std::string(view_of(message.target()))};
  for (const auto& field : message) request.headers.add(view_of(field.name_string()), view_of(field.value()));
  request.body = std::move(message.body());
  return request;
}

void Session::answer(const HttpResponse& response, bool leaving) {
  keep_alive_ = keep_alive_ && !leaving;
  if (prepared_) append({}, nullptr);  // what is still pending goes first
  const bool is_silent = response.status == 0;
  if (!is_silent)
    wire::append_answer(out_, response,
                        {.keep_alive = keep_alive_, .head_only = head_only_, .old_keep_alive = old_client_});
  const std::size_t size = response.body.size();
  if (!is_silent && !head_only_ && response.cut_after && *response.cut_after < size && out_.ends_with(response.body))
    out_.resize(out_.size() - (size - *response.cut_after));
  ends_ = !keep_alive_ || is_silent || response.cut_after.has_value();
  answered_ = true;
  parser_.reset();
}

Session::Step Session::refuse(int status, std::string_view what) {
  keep_alive_ = false;  // where the next request would start is unknown
  head_only_ = false;
  answer(HttpResponse::text(status, fmt::format("{}\n", what)), true);
  return Step::write;
}

}  // namespace serin::serving
