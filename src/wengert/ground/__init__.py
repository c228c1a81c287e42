"""What everything stands on: errors, dtypes, shapes, structures, checks, arrays, the thread's state, options."""
