"""Compiled code on disk: what was kept is found again, and what is not the user's own and whole is as good as none."""

import ctypes
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wengert.execute.native import cache, engine

UNAVAILABLE = engine.available()
native = pytest.mark.skipif(bool(UNAVAILABLE), reason=UNAVAILABLE)
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows guards the user's folders itself")
KEY, OTHER = cache.signature("a text"), cache.signature("another")
CODE = bytes(range(256)) * 40
TEXT = "define i64 @f() {\n  ret i64 42\n}"


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "below" / "code"))
    return tmp_path / "below" / "code"


def the_file(place: Path) -> Path:
    (found,) = place.iterdir()
    return found


def test_what_is_kept_is_found(place):
    assert cache.load(KEY) is None
    cache.save(KEY, CODE)
    assert cache.load(KEY) == CODE
    assert cache.load(OTHER) is None
    cache.save(OTHER, b"")
    assert cache.load(OTHER) == b""
    assert cache.load(KEY) == CODE


@posix
def test_it_belongs_to_the_user_alone(place):
    before = os.umask(0)
    try:
        cache.save(KEY, CODE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert stat.S_IMODE(the_file(place).stat().st_mode) == 0o600


@pytest.mark.parametrize("at", [0, 8, 20, 47, 48, 79, 80, 1000, -1])
def test_a_damaged_file_is_ignored_and_replaced(place, at):
    cache.save(KEY, CODE)
    content = bytearray(the_file(place).read_bytes())
    content[at] ^= 1
    the_file(place).write_bytes(content)
    assert cache.load(KEY) is None
    cache.save(KEY, CODE)
    assert cache.load(KEY) == CODE


@pytest.mark.parametrize("length", [0, 10, 50, 80, 500, -1])
def test_a_file_that_is_cut_short_is_ignored(place, length):
    cache.save(KEY, CODE)
    the_file(place).write_bytes(the_file(place).read_bytes()[:length])
    assert cache.load(KEY) is None


def test_a_file_of_another_text_is_ignored(place):
    cache.save(KEY, CODE)
    the_file(place).rename(place / (OTHER.hex() + cache.ENDING))
    assert cache.load(OTHER) is None


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_may_write_is_not_used(place, mode):
    cache.save(KEY, CODE)
    place.chmod(mode)
    assert cache.load(KEY) is None
    cache.save(OTHER, CODE)
    assert len(list(place.iterdir())) == 1


@posix
def test_a_file_that_others_may_write_is_not_used(place):
    cache.save(KEY, CODE)
    the_file(place).chmod(0o620)
    assert cache.load(KEY) is None


@posix
def test_links_are_not_followed(place, tmp_path):
    cache.save(KEY, CODE)
    elsewhere = tmp_path / "elsewhere"
    the_file(place).rename(elsewhere)
    (place / (KEY.hex() + cache.ENDING)).symlink_to(elsewhere)
    assert cache.load(KEY) is None
    cache.save(KEY, CODE)  # takes the link's place
    assert cache.load(KEY) == CODE
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    assert cache.load(KEY) is None


@posix
def test_what_belongs_to_another_is_not_used(place, monkeypatch):
    cache.save(KEY, CODE)
    other = os.geteuid() + 1
    monkeypatch.setattr(cache.os, "geteuid", lambda: other)
    assert cache.load(KEY) is None
    cache.save(OTHER, CODE)
    monkeypatch.undo()
    assert len(list(place.iterdir())) == 1


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "file" / "below"))
    cache.save(KEY, CODE)
    assert cache.load(KEY) is None
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "file"))
    cache.save(KEY, CODE)
    assert cache.load(KEY) is None
    assert (tmp_path / "file").read_text() == "no folder"


def test_a_full_disk_is_no_error(place, monkeypatch):
    def full(handle, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wengert.ground.replacing.os.write", full)
    cache.save(KEY, CODE)
    monkeypatch.undo()
    assert list(place.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_only_be_read_serves_what_is_in_it(place):
    cache.save(KEY, CODE)
    place.chmod(0o500)
    cache.save(OTHER, CODE)
    assert cache.load(KEY) == CODE
    assert cache.load(OTHER) is None
    place.chmod(0o700)


def test_those_not_used_for_longest_go_when_there_are_too_many(place, monkeypatch):
    size = len(cache._content(KEY, CODE))
    monkeypatch.setattr(cache, "MOST", 8 * size)
    keys = [cache.signature(str(i)) for i in range(9)]
    for i, key in enumerate(keys[:8]):
        cache.save(key, CODE)
        os.utime(cache._path(str(place), key), (1e9 + i, 1e9 + i))
    assert cache.load(keys[0]) == CODE  # so it is the latest
    cache.save(keys[8], CODE)
    assert [i for i, key in enumerate(keys) if cache.load(key)] == [0, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("word", ["", "off", "OFF", "0"])
def test_it_can_be_switched_off(word, monkeypatch, tmp_path):
    monkeypatch.setenv("WENGERT_CACHE", word)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    cache.save(KEY, CODE)
    assert cache.load(KEY) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "platform, wanted",
    [("linux", "{tmp}/xdg/wengert"), ("darwin", "{tmp}/Library/Caches/wengert"), ("win32", "{tmp}/local/wengert")],
)
def test_it_lies_where_the_system_has_such(platform, wanted, monkeypatch, tmp_path):
    monkeypatch.delenv("WENGERT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr(cache.sys, "platform", platform)
    assert cache.folder() == wanted.format(tmp=tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert platform != "linux" or cache.folder() == str(tmp_path / ".cache" / "wengert")


def called(library: engine.Library) -> int:
    return int(ctypes.CFUNCTYPE(ctypes.c_int64)(library.address("f"))())


@native
def test_a_text_is_compiled_once_for_all_processes(place, monkeypatch):
    compiled = []
    emit = engine.Host.emit
    monkeypatch.setattr(engine.Host, "emit", lambda self, *args: compiled.append(1) or emit(self, *args))
    for _ in range(3):
        engine._compiled.cache_clear()  # as in a new process
        assert called(engine.compiled(TEXT, ["f"])) == 42
    assert len(compiled) == 1
    the_file(place).write_bytes(b"damaged")
    for _ in range(2):
        engine._compiled.cache_clear()
        assert called(engine.compiled(TEXT, ["f"])) == 42
    assert len(compiled) == 2


@native
@pytest.mark.parametrize("what", ["version", "triple", "cpu", "features"])
def test_code_for_another_machine_or_by_another_compiler_is_not_used(place, monkeypatch, what):
    keys = []
    monkeypatch.setattr(cache, "load", lambda key: keys.append(key))
    host = engine._host()
    machines = [host._machine(), host._machine()]  # an engine owns one
    monkeypatch.setattr(host, "_machine", lambda: machines.pop())  # of this processor, or the process ends
    engine._compiled.cache_clear()
    engine.compiled(TEXT, ["f"])
    monkeypatch.setattr(host, what, "another")
    engine._compiled.cache_clear()
    engine.compiled(TEXT, ["f"])
    engine._compiled.cache_clear()
    assert len(set(keys)) == 2


@native
def test_processes_that_keep_code_at_once(place):
    program = f"""
import ctypes
from wengert.execute.native import engine
for i in range(20):
    library = engine.compiled({TEXT!r}.replace("42", str(i)), ["f"])
    assert ctypes.CFUNCTYPE(ctypes.c_int64)(library.address("f"))() == i
print("done")
"""
    command = [sys.executable, "-P", "-c", program]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [one.communicate(timeout=60)[0] for one in running] == ["done\n"] * 2
    assert len(list(place.iterdir())) == 20
