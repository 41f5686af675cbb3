# What every target is compiled with. Language level and warnings are one decision, made here.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LINK_DEPENDS_NO_SHARED ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

option(SERIN_TESTS "Build the tests" ON)
option(SERIN_BENCHES "Build the benchmarks" ON)
option(SERIN_BLACKBOX "Build the tests of real processes, and what only they need" ON)
option(SERIN_FUZZ "Build the fuzzers (clang only)" OFF)
option(SERIN_PCH "Use precompiled headers" ON)

# ccache where it is there; a build without it gives the same bytes.
find_program(SERIN_CCACHE ccache)
if(SERIN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${SERIN_CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS headers json url system)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(yaml-cpp REQUIRED)
# Debian's package brings no CMake file.
find_library(SERIN_RE2 re2 REQUIRED)
add_library(re2::re2 UNKNOWN IMPORTED)
set_target_properties(re2::re2 PROPERTIES IMPORTED_LOCATION ${SERIN_RE2})
find_package(fmt REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(ZLIB REQUIRED)

# Debian's cpp-httplib is a library beside its header, and both must see the same switches.
find_library(SERIN_CPP_HTTPLIB cpp-httplib REQUIRED)
add_library(serin_cpp_httplib INTERFACE)
target_compile_definitions(serin_cpp_httplib INTERFACE
  CPPHTTPLIB_OPENSSL_SUPPORT CPPHTTPLIB_ZLIB_SUPPORT CPPHTTPLIB_BROTLI_SUPPORT)
target_link_libraries(serin_cpp_httplib INTERFACE ${SERIN_CPP_HTTPLIB} OpenSSL::SSL OpenSSL::Crypto)
if(SERIN_TESTS)
  find_package(GTest REQUIRED)
  find_package(benchmark REQUIRED)
endif()

# gRPC only where its packages are: they are large, and one optional module and one example use them.
if(NOT DEFINED SERIN_GRPC OR SERIN_GRPC)
  find_package(Protobuf QUIET)
  find_package(gRPC CONFIG QUIET)
  find_program(SERIN_GRPC_PLUGIN grpc_cpp_plugin)
endif()
if(TARGET gRPC::grpc++ AND TARGET protobuf::protoc AND SERIN_GRPC_PLUGIN)
  option(SERIN_GRPC "Build the gRPC health service" ON)
else()
  option(SERIN_GRPC "Build the gRPC health service (needs libgrpc++-dev, libprotobuf-dev, protobuf-compiler-grpc)" OFF)
endif()

# Debug assertions of the standard library stay on in every build: an out-of-range index is a bug, not a risk.
add_compile_definitions(_GLIBCXX_ASSERTIONS)

add_library(serin_warnings INTERFACE)
target_compile_options(serin_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
  # Designated initialisers with defaults are the house's way of calling options; what is not named has its default.
  -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wno-missing-designated-field-initializers>)

# Threads is in every line because std::jthread needs it; asio in two pieces as spikes measured.
add_library(serin_asio INTERFACE)
target_compile_definitions(serin_asio INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_link_libraries(serin_asio INTERFACE Boost::headers Boost::system OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
