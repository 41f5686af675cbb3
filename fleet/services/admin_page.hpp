#pragma once
#include <string_view>

namespace serin::fleet {

/// The dashboard's page. It holds no data: it asks for the key, keeps it for the tab, and reads /api with it.
[[nodiscard]] std::string_view admin_page() noexcept;

}  // namespace serin::fleet
