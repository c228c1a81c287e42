"""Lists whose values have many rows, run tile by tile: a few hundred rows at a time, in buffers that stay in the cache.

A list is *cut* once for the shapes of its feeds. Row i of many of its values depends on row i of the feeds alone (the row
proof of `wengert.derive.rows`), and each step is one of

- a *row* step, which a tile of rows can be put through by itself,
- a *sum* over the rows (also a maximum, a product, a product of matrices Yᵀ G): tiles give parts of it that are added up,
- *whole*: it does not depend on the rows, or it needs all of them (a sort, whatever acts on the world).

Whole steps and passes over the tiles take turns. Stage k is the whole steps that need no more than the sums of the stages
before it, and then one pass through the row steps and the sums that need no more than that. What a pass makes lives in
buffers for one tile; only what another pass, a whole step or a fetch reads is written out whole.

A pass is compiled to a list of calls whose arguments never change: buffers, views of buffers, and copies of the shared values
(weights), which are refreshed in each run. So nothing is allocated, and a call costs little more than NumPy's own.

Tiles are joined to *groups*, which threads take in turn. A group's parts are added up tile by tile, those of the groups in
their order, so the result depends on neither the number of threads nor on which of them did what. The error of a sum of n
terms is that of adding up a tile, a group and the groups: at most (t + g + n / (t g)) ε Σ|x| for tiles of t rows and groups
of g tiles, where NumPy's sum along the first axis has n ε Σ|x|.

If anything fails inside of a pass, what is left of the list is run whole: an error is then the one that it always was, with the
shapes and the line. The steps of a pass are pure, so that nothing happens twice.
"""
