"""AutoGraph: if, while, for over range and tensors, break, continue, early return, and, or, not, nested functions, asserts; gradients of them."""
import tensorflow as tf


@tf.function
def early(x):
    if x > 0.0:
        return x * 2.0
    if x < -10.0:
        return tf.constant(-1.0)
    return -x


@tf.function
def collatz(n):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


@tf.function
def power(x, n):
    y = tf.ones_like(x)
    for i in tf.range(n):
        y *= x
    return y


@tf.function
def sums(v):
    total = 0.0
    skipped = 0
    for e in v:
        if e < 0.0:
            skipped += 1
            continue
        if e > 100.0:
            break
        total += e
    return total, skipped


@tf.function
def logic(a, b):
    if a > 0 and not b > 0:
        r = 1
    elif a > 0 or b > 0:
        r = 2
    else:
        r = 3
    return r


@tf.function
def python_loop(x):
    for k in range(3):
        x = x + float(k)
    for name, scale in {"a": 2.0, "b": 3.0}.items():
        x = x * scale
    return x


@tf.function
def newton_sqrt(a):
    x = a
    for _ in tf.range(50):
        nxt = 0.5 * (x + a / x)
        if tf.abs(nxt - x) < 1e-6:
            break
        x = nxt
    return x


@tf.function
def ternary(x):
    return tf.sin(x) if tf.reduce_sum(x) > 0.0 else tf.cos(x)


@tf.function
def grows(n):
    out = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    i = 0
    while i < n:
        out = out.write(i, tf.cast(i, tf.float32) ** 2)
        i += 1
    return out.stack()


print([early(tf.constant(v)).numpy() for v in (3.0, -3.0, -30.0)])
print([int(collatz(tf.constant(n))) for n in (1, 6, 27)])
print(power(tf.constant(3.0), tf.constant(4)).numpy(), power(tf.constant([2.0, 3.0]), 2).numpy().tolist())
print([v.numpy() for v in sums(tf.constant([1.0, -5.0, 2.0, 200.0, 4.0]))])
print([int(logic(tf.constant(a), tf.constant(b))) for a, b in ((1, 0), (1, 1), (0, 1), (0, 0))])
print(python_loop(tf.constant(1.0)).numpy())
print("%.4f" % newton_sqrt(tf.constant(2.0)).numpy())
print(grows(tf.constant(4)).numpy().tolist())
for name, f, x in (("early", early, -3.0), ("early", early, 3.0), ("sqrt", newton_sqrt, 2.0), ("ternary", ternary, -1.0)):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    print(name, "gradient %.4f" % tape.gradient(y, x).numpy())
x = tf.constant(2.0)
with tf.GradientTape() as outer:
    outer.watch(x)
    with tf.GradientTape() as inner:
        inner.watch(x)
        y = power(x, tf.constant(5))
    g = inner.gradient(y, x)
print("power", g.numpy(), outer.gradient(g, x).numpy())
v = tf.constant([1.0, -5.0, 2.0, 200.0, 4.0])
with tf.GradientTape() as tape:
    tape.watch(v)
    total, _ = sums(v)
print("sums", tape.gradient(total, v).numpy().tolist())


@tf.function(autograph=False)
def plain(x):
    return x * 2.0 if x > 0.0 else x


@tf.function
def undefined(x):
    if x > 0.0:
        made = x
    return made


@tf.function
def kinds(x):
    if x > 0.0:
        y = 1.0
    else:
        y = tf.constant([1.0, 2.0])[0:2]
    return y


for f in (plain, undefined, kinds):
    try:
        print(f(tf.constant(1.0)).numpy())
    except Exception as error:
        print(type(error).__name__)
