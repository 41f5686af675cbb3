#include "serin/beast/http_server.hpp"

#include <fmt/format.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "detail_connection.hpp"

namespace serin {

namespace asio = boost::asio;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, serving::Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                         serving::Executor>;

struct HttpServer::Parts {
  Parts(HttpServerOptions given, HttpHandler& handler, const Clock& clock)
      : options(std::move(given)),
        acceptor(io),
        sweep_timer(io),
        workers(options.workers, options.queue),
        server{options, handler, clock, io, workers, [this] { accept_again(); }} {
    server.gate->io = &io;
  }

  void accept() {
    acceptor.async_accept([this](boost::system::error_code error, serving::Socket socket) {
      // Also when the acceptor was closed meanwhile: this client was greeted before.
      if (!error) take(std::move(socket));
      if (!acceptor.is_open()) return;
      // Out of descriptors: the client waits in the kernel's queue until one is free, or for the next sweep.
      if (error)
        accept_later = true;
      else
        accept();
    });
  }

  void accept_again() {
    if (!accept_later || !acceptor.is_open()) return;
    accept_later = false;
    accept();
  }

  void take(serving::Socket socket) {
    boost::system::error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error || server.open.size() >= options.max_connections) return;  // closed by its destructor
    socket.set_option(asio::ip::tcp::no_delay(true), error);
    if (error) return;
    std::make_shared<serving::Connection>(server, std::move(socket), peer.address().to_string())->start();
  }

  /// Clients that the kernel has already greeted are served too: closing would reset them.
  void stop_listening() {
    if (!acceptor.is_open()) return;
    boost::system::error_code error;
    acceptor.non_blocking(true, error);
    while (!error) {
      serving::Socket socket(io);
      acceptor.accept(socket, error);
      if (!error) take(std::move(socket));
    }
    acceptor.close(error);
  }

  void sweep() {
    sweep_timer.expires_after(std::chrono::seconds(1));
    sweep_timer.async_wait([this](boost::system::error_code error) {
      if (error) return;
      // A copy, because closing takes a connection out of the set.
      const auto open = server.open;
      const Instant now = server.clock.now();
      for (const auto& connection : open) connection->sweep(now);
      accept_again();
      sweep();
    });
  }

  /// Runs on the network thread and waits for it.
  template <class Task>
  void on_network(Task task) {
    std::mutex mutex;
    std::condition_variable done;
    bool finished = false;
    asio::post(io, [&] {
      task();
      const std::lock_guard lock(mutex);
      finished = true;
      done.notify_one();
    });
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return finished; });
  }

  HttpServerOptions options;
  asio::io_context io{1};
  Acceptor acceptor;
  Timer sweep_timer;
  serving::Workers workers;
  serving::Server server;
  bool accept_later = false;
  std::uint16_t port = 0;
  asio::executor_work_guard<serving::Executor> work{io.get_executor()};
  std::jthread network;
};

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, HttpHandler& handler,
                                                      const Clock& clock) {
  if (options.workers < 1 || options.workers > 256)
    return fail(Errc::invalid_argument, fmt::format("workers must be 1 to 256, not {}", options.workers));
  boost::system::error_code error;
  const asio::ip::address address = asio::ip::make_address(options.address, error);
  if (error) return fail(Errc::invalid_argument, fmt::format("'{}' is no IP address", options.address));
  const std::string where = fmt::format("{}:{}", options.address, options.port);
  auto parts = std::make_unique<Parts>(std::move(options), handler, clock);
  const asio::ip::tcp::endpoint endpoint(address, parts->options.port);
  Acceptor& acceptor = parts->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(4096, error);
  if (error == asio::error::address_in_use)
    return fail(Errc::conflict, fmt::format("{} is in use by another program", where));
  if (error == asio::error::access_denied)
    return fail(Errc::permission_denied, fmt::format("may not listen on {}", where));
  if (error) return fail(Errc::unavailable, fmt::format("cannot listen on {}: {}", where, error.message()));
  parts->port = acceptor.local_endpoint().port();
  parts->accept();
  parts->sweep();
  parts->network = std::jthread([raw = parts.get()] { raw->io.run(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(parts)));
}

HttpServer::~HttpServer() {
  parts_->on_network([this] {
    boost::system::error_code ignored;
    parts_->acceptor.close(ignored);
    parts_->server.leaving = true;
    const auto open = parts_->server.open;
    for (const auto& connection : open) connection->close();
  });
  parts_->workers.stop();
  {
    const std::lock_guard lock(parts_->server.gate->mutex);
    parts_->server.gate->io = nullptr;
  }
  parts_->work.reset();
  parts_->io.stop();
  parts_->network.join();
}

std::uint16_t HttpServer::port() const noexcept { return parts_->port; }

int HttpServer::busy_workers() const { return parts_->workers.running(); }

void HttpServer::leave() {
  parts_->on_network([this] { parts_->server.leaving = true; });
}

Status HttpServer::drain(Deadline deadline) {
  parts_->on_network([this] {
    parts_->server.leaving = true;
    parts_->stop_listening();
  });
  for (;;) {
    std::size_t left = 0;
    parts_->on_network([&] {
      const Instant now = parts_->server.clock.now();
      // A copy, because closing takes a connection out of the set.
      const auto open = parts_->server.open;
      for (const auto& connection : open) {
        connection->drain(now);
        if (!connection->is_done()) ++left;
      }
    });
    if (left == 0) return {};
    if (deadline.passed(parts_->server.clock.now()))
      return fail(Errc::deadline_exceeded, fmt::format("{} requests were still running and are cut off", left));
    // The last answers come from the network thread; looking again every few milliseconds is enough.
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable().wait_for(lock, std::chrono::milliseconds(5));
  }
}

}  // namespace serin
