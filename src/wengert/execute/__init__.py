"""Running lowered lists.

| file | what is there |
|---|---|
| `protocol` | what an executor and a program are: all that sessions and functions know |
| `program` | the executors by name, and which of them runs a list |
| `plan` | the order of the steps, when values die, what may be written over |
| `numpy` | the interpreter over NumPy |
| `tiles` | lists with many rows, a few hundred rows at a time |
| `xla` | lists compiled by XLA |
| `auto` | whichever of the two is found to be faster |
| `compare` | a list with and without the rewrites |
| `replay` | a list step by step under tapes |
| `variables` | which variables a list names, and which it may assign to |
"""
