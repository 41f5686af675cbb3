#pragma once
#include <map>
#include <vector>

#include "store.hpp"

// Private to the module.
namespace serin::google_emulator {

/// Firestore v1 over REST. Transactions are optimistic: what was read must be the same when they commit.
class Firestore {
 public:
  Firestore(Store& store, Random& random) : store_(store), random_(random) {}
  [[nodiscard]] std::vector<Route> routes();

 private:
  Reply get_or_list(Call& call);
  Reply create(Call& call);
  Reply patch(Call& call);
  Reply remove(Call& call);
  Reply begin(Call& call);
  Reply batch_get(Call& call);
  Reply commit(Call& call);
  Reply rollback(Call& call);
  Reply run_query(Call& call);
  Reply list(Call& call, const std::string& parent);

  /// One element of "writes". \param result  its WriteResult
  Outcome write(const json::object& write, WallTime commit_time, json::object& result);
  Outcome check(const std::string& name, const json::object* precondition);
  Outcome transform(json::object& fields, const json::array& transforms, WallTime commit_time, json::array& results);
  [[nodiscard]] std::optional<json::object> document(const std::string& name);
  void put(const std::string& name, const json::object& fields, WallTime commit_time);
  /// Never the same twice: versions are told apart by it.
  WallTime tick(WallTime now);
  std::string new_transaction(WallTime now);

  struct Transaction {
    std::map<std::string, std::string> read;  ///< name to updateTime; empty: it was missing
    WallTime since{};
  };
  Store& store_;
  Random& random_;
  std::map<std::string, Transaction> transactions_;  // guarded by the store's run()
};

// Values and field paths: firestore_values.cpp.
/// "a.b.`c d`" in its parts.
[[nodiscard]] std::vector<std::string> field_path(std::string_view text);
[[nodiscard]] const json::value* find_field(const json::object& fields, const std::vector<std::string>& path);
/// Null: removes it.
void set_field(json::object& fields, const std::vector<std::string>& path, const json::value* value);
/// Firestore's order of values of all types: less than, equal to, greater than 0.
[[nodiscard]] int compare_values(const json::value& a, const json::value& b);
/// Whether a document passes a filter of a structured query. Refuses what is not supported.
[[nodiscard]] std::expected<bool, Failure> passes(const json::object& document, const json::object& filter);
/// a + b of integerValue and doubleValue.
[[nodiscard]] json::value sum_of_values(const json::value& a, const json::value& b);

}  // namespace serin::google_emulator
