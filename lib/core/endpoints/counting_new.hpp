#pragma once
#include <cstdlib>
#include <new>

#include "allocations.hpp"

// Counts every allocation of the program that includes it, in one file; the memory comes from malloc as before.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++serin::endpoints::allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
