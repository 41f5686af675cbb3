#include "clients.hpp"

#ifdef SERIN_BENCH_CURL
#include <curl/curl.h>

#include <string>
#endif

namespace serin::bench_http {

#ifdef SERIN_BENCH_CURL
namespace {

std::size_t take(char* bytes, std::size_t one, std::size_t count, void* to) {
  static_cast<std::string*>(to)->append(bytes, one * count);
  return one * count;
}

/// One request of libcurl, and where its answer goes.
struct Easy {
  explicit Easy(const Load& load) : handle(curl_easy_init()) {
    const std::string url = "http://127.0.0.1:" + std::to_string(load.port) + "/";
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &head);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 60'000L);
    curl_easy_setopt(handle, CURLOPT_PRIVATE, this);
  }
  ~Easy() { curl_easy_cleanup(handle); }
  Easy(const Easy&) = delete;
  void begin(Instant now) {
    body.clear();
    head.clear();
    began = now;
  }
  CURL* handle;
  std::string body;
  std::string head;
  Instant began{};
};

}  // namespace

Took curl_easy(const Load& load) {
  if (load.concurrency != 1) return {};
  Easy easy(load);
  Stopwatch watch(load);
  while (watch.take()) {
    easy.begin(watch.now());
    const bool good = curl_easy_perform(easy.handle) == CURLE_OK && easy.body.size() == body_size;
    watch.done(easy.began, good);
  }
  return watch.finish();
}

Took no_pooling(const Load& load) {
  if (load.concurrency != 1) return {};
  Stopwatch watch(load);
  while (watch.take()) {
    const Instant began = watch.now();
    Easy easy(load);
    easy.begin(began);
    const bool good = curl_easy_perform(easy.handle) == CURLE_OK && easy.body.size() == body_size;
    watch.done(began, good);
  }
  return watch.finish();
}

Took curl_multi(const Load& load) {
  CURLM* multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(load.concurrency));
  Stopwatch watch(load);
  std::vector<std::unique_ptr<Easy>> all;
  int busy = 0;
  for (int i = 0; i < load.concurrency && watch.take(); ++i) {
    all.push_back(std::make_unique<Easy>(load));
    all.back()->begin(watch.now());
    curl_multi_add_handle(multi, all.back()->handle);
    ++busy;
  }
  while (busy > 0) {
    int running = 0;
    curl_multi_perform(multi, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      Easy* easy = nullptr;
      CURL* handle = message->easy_handle;
      const CURLcode code = message->data.result;
      curl_easy_getinfo(handle, CURLINFO_PRIVATE, &easy);
      curl_multi_remove_handle(multi, handle);
      watch.done(easy->began, code == CURLE_OK && easy->body.size() == body_size);
      --busy;
      if (!watch.take()) continue;
      easy->begin(watch.now());
      curl_multi_add_handle(multi, handle);
      ++busy;
    }
    curl_multi_perform(multi, &running);
    if (busy > 0) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  for (auto& one : all) curl_multi_remove_handle(multi, one->handle);
  all.clear();
  curl_multi_cleanup(multi);
  return watch.finish();
}
#else
Took curl_easy(const Load&) { return {}; }
Took no_pooling(const Load&) { return {}; }
Took curl_multi(const Load&) { return {}; }
#endif

}  // namespace serin::bench_http
