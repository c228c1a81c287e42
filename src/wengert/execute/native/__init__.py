"""The executor in machine code: the passes over tiles of rows, each compiled to one function by LLVM."""
