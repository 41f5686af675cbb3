#pragma once
#include <string>

#include "serin/ports/http.hpp"

namespace httplib {
class Server;
}

namespace serin {

/// Puts a handler behind a cpp-httplib server: GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS of every path that
/// matches `pattern`, cpp-httplib's regular expression. To be called before listen(); routes that were given to the
/// server earlier win. What the handler has prepared is copied into the answer without a request being made; an answer
/// that comes later holds the connection's thread meanwhile. cpp-httplib has a thread a connection, so unlike our own
/// server it cannot keep liveness apart from connections that hang: give it more threads than clients. \param handler
/// outlives the server
void mount(httplib::Server& server, HttpHandler& handler, const std::string& pattern = ".*");

}  // namespace serin
