#pragma once
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "serin/ports/bus.hpp"

// Private to the module.
namespace serin::pubsub {

/// {"data","attributes","orderingKey"}; the key is the value of the attribute of that name, when there is one.
[[nodiscard]] boost::json::object message_of(const BusMessage& message, std::string_view ordering_attribute);

/// One of receivedMessages. Errors: data_loss.
Result<Delivery> delivery_of(const boost::json::object& received);

/// Bodies of publish with at most 1000 messages and about 9 MB each, in order. Errors: invalid_argument (a message that
/// is too large for any).
Result<std::vector<std::string>> batches_of(const std::vector<BusMessage>& messages,
                                            std::string_view ordering_attribute);

/// A subscription for PUT and PATCH. What Pub/Sub has no field for stands in labels, which hold [a-z0-9_-]: other
/// characters are written _2f there. \param topic, dead_letters  full names
/// Errors: invalid_argument, naming the option and what Pub/Sub takes.
Result<boost::json::object> subscription_of(const SubscriptionOptions& options, const std::string& topic,
                                            const std::string& dead_letters);
/// The options that a subscription has; names without the project. Errors: data_loss.
Result<SubscriptionOptions> options_of(const boost::json::object& subscription);

/// Whether it only keeps the dead letters of another one.
[[nodiscard]] bool keeps_dead_letters(const boost::json::object& subscription);

/// Of a topic and of a subscription without a dead letter topic of its own.
[[nodiscard]] std::string dead_letters_of(std::string_view subscription);
inline constexpr std::string_view kept_label = "serin-dead-letters-of";
[[nodiscard]] std::string label_of(std::string_view text);
[[nodiscard]] std::string text_of_label(std::string_view label);

}  // namespace serin::pubsub
