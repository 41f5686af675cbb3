#include "serin/haproxy/render.hpp"

#include <fmt/format.h>

namespace serin::haproxy {

std::string access_log_format() {
  // Nothing that a client wrote stands before the path, and the path is the last field: no quoting can go wrong.
  return "%b %s %ST %ts %rc %Ta %Tr %HM %HP";
}

std::string render(const RouterConfig& config) {
  std::string out = fmt::format(
      "# Written by serin; changes are lost. Weights and servers are set at run time through the socket.\n"
      "global\n"
      "  stats socket {} mode 600 level admin expose-fd listeners\n"
      "  stats timeout 30s\n"
      "  log ring@access format raw local0\n"
      "\n"
      // A stream with a buffer: datagrams lose lines as soon as the reader is late.
      "ring access\n"
      "  format raw\n"
      "  maxlen 2048\n"
      "  size 8388608\n"
      "  timeout connect 1s\n"
      "  timeout server 10s\n"
      "  server reader 127.0.0.1:{}\n"
      "\n"
      "defaults\n"
      "  mode http\n"
      "  log global\n"
      "  log-format \"{}\"\n"
      "  option idle-close-on-response\n"
      "  timeout connect 500ms\n"
      "  timeout client 60s\n"
      "  timeout server 60s\n"
      "  timeout queue 2s\n"
      "  timeout http-request 10s\n"
      "  timeout http-keep-alive 60s\n"
      // A replica that dies is nobody's failed request when the request may be repeated; who failed is in the counters.
      "  retries 2\n"
      "  option redispatch 1\n"
      "  retry-on conn-failure empty-response response-timeout\n",
      config.socket, config.log_port, access_log_format());
  for (const ServiceLines& service : config.services) {
    out += fmt::format(
        "\nfrontend fe_{0}\n"
        "  bind {1}\n"
        "  http-request disable-l7-retry unless METH_GET\n"
        "  default_backend {0}\n"
        "\nbackend {0}\n"
        "  balance roundrobin\n",
        service.name, service.listen);
    for (const ServerLine& server : service.servers)
      out += fmt::format("  server {} {} weight {}{}\n", server.name, server.address, server.weight,
                         server.in_rotation ? "" : " disabled");
  }
  return out;
}

}  // namespace serin::haproxy
