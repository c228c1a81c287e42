"""Serves its name by Wengert, and gives way; for what `wengert run` starts."""

if "." not in __name__:  # else it is imported as a part of Wengert, where it does nothing
    from wengert.run.started import give_way

    give_way(__name__)
