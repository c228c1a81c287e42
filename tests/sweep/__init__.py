"""The sweep: random programs, each run along many roads that have to agree, and against an oracle from outside.

A *program* is a tree of statements (`program`), drawn from a seed (`generator`) over a table of operations (`operations`).
It is printed as Python and run along *roads* (`roads`): eagerly, which is the definition, in functions, in static graphs, with
rewrites on and off, in forward mode. The *oracle* (`oracle`) gives the same program to JAX. A disagreement is cut down to a
few lines (`reducer`), and told with its script (`report`). `differences` lists what may differ, by cause.

Laws:

- One text. What a road runs is what is printed: a script is the program, not an account of it.
- A seed is a program: ``(SWEEP_SEED, number)`` gives the same program in every process.
- The oracle shares no code with the library: it reads the tree, not what was recorded of it.
- A tolerance is measured: by how much the program's own results move when each of its statements is off by a rounding.
- A difference is known by its cause in the program, never by how the numbers look.
"""
