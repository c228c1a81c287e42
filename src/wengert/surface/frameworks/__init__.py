"""Models of other frameworks as fields: `wengert.jax`, `wengert.torch`.

A model is read into a list once for each structure; its derivatives are those of that list, by the one Taylor series that its
lowering makes; and what comes back is a function of the framework again, since the lowered list is walked with the framework's
own arrays. So the framework differentiates a residual by the parameters, compiles it and places it where it likes.

| file | what is there |
|---|---|
| `expression` | fields whose leaves are models: what is read, when, and how it is found again |
| `jax` | what users of JAX see: `field`, `register` |
| `jaxpr` | a traced function of JAX's as lines: what is known without the coordinates, and what is read |
| `primitives` | what each primitive of JAX becomes |
| `derivatives` | functions whose derivative their author states |
| `rules`, `indexing`, `windows`, `matrices` | their table, and rules of places, of windows, of linear algebra |
| `walking` | lowered lists with JAX's arrays |
| `torch` | what users of PyTorch see |
| `aten` | what each operation of PyTorch becomes |
| `torch_arrays` | PyTorch's tensors by NumPy's names, and lowered lists with them |
"""
