"""The executor over XLA, through JAX's public interface.

A lowered list is walked once for each signature (the shapes of its feeds and variables) with an array namespace over
`jax.numpy`, and what that builds is compiled.

| file | what is there |
|---|---|
| `arrays` | `jax.numpy` as an array namespace; the one file that imports JAX |
| `values` | what a value is while a list is walked, and the shapes by which lists and executables are found |
| `state` | what constants and variables become |
| `control` | what choices and loops become |
| `walk` | the walk: what each operation becomes |
| `mesh` | the devices over which rows are spread |
| `placing` | what of a list each device has its own rows of |
| `parts` | row-wise lists device by device, and on each a chunk of rows at a time |
| `executable` | how a list is compiled for one signature |
| `variables` | the variables' values, which stay on the device and are given away to the run that assigns to them |
| `program` | when a list is compiled, and how it is run |
| `forked` | what a process that was forked has of XLA |
| `falling` | the executor as users have it: what XLA cannot run, NumPy does |

What XLA cannot do raises `Unsupported`, with the operation and the user's line, before anything has run.
"""
