"""The executor over XLA, through JAX's public interface.

A lowered list is walked once for each signature (the shapes of its feeds and variables) with an array namespace over
`jax.numpy`, and what that builds is compiled.

| file | what is there |
|---|---|
| `arrays` | `jax.numpy` as an array namespace; the one file that imports JAX |
| `walk` | the walk: what each operation becomes, with values that are known now and values that are known when it runs |
| `chunks` | lists whose temporaries are too large at once, as a scan over chunks of rows |
| `program` | what is compiled, when, and how it is run with the variables' values |

What XLA cannot do raises `Unsupported`, with the operation and the user's line, before anything has run.
"""
