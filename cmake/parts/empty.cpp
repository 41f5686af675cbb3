// A translation unit for targets that need one.
