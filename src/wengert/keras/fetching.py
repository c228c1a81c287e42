"""`get_file`: a file of the web, kept in a folder of the user's, and checked where its hash is told."""

from __future__ import annotations

import hashlib
import os
import urllib.parse
from pathlib import Path

__all__ = ["get_file"]


def _hash(path: Path, algorithm: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _fits(path: Path, told: str | None, algorithm: str) -> bool:
    if told is None:
        return True
    named = algorithm if algorithm != "auto" else "sha256" if len(told) == 64 else "md5"
    return _hash(path, named) == told.lower()


def get_file(
    fname: str | None = None, origin: str | None = None, untar: bool = False, md5_hash: str | None = None,
    file_hash: str | None = None, cache_subdir: str = "datasets", hash_algorithm: str = "auto", extract: bool = False,
    archive_format: str = "auto", cache_dir: str | None = None, force_download: bool = False,
) -> str:  # fmt: skip
    """Return the path of a file that is fetched, unless it is there: below ``~/.keras`` as Keras keeps it.

    Args:
        fname: its name; by default that of its address.
        origin: its address.
        untar: what ``extract`` is.
        md5_hash: its hash by MD5.
        file_hash: its hash, by which it is checked.
        cache_subdir: the folder within ``cache_dir``.
        hash_algorithm: "sha256", "md5", or "auto" for the one that has the hash's length.
        extract: whether it is an archive that is unpacked; the path is then that of the folder.
        archive_format: "tar", "zip" or "auto".
        cache_dir: ``~/.keras``, or ``KERAS_HOME``.
        force_download: whether it is fetched even if it is there.

    Raises:
        ValueError: without an address, and for a file whose hash is another.
        OSError: where it cannot be fetched.
    """
    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    name = fname or os.path.basename(urllib.parse.urlparse(origin).path)
    if not name or os.path.isabs(name) or ".." in Path(name).parts:
        raise ValueError(f"get_file: {name!r} is no name of a file within a folder.")
    told = file_hash if file_hash is not None else md5_hash
    home = cache_dir or os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    path = Path(home).expanduser() / cache_subdir / name
    unpacked = extract or untar
    archive = path.with_name(path.name + "_archive") if unpacked and not path.suffix else path
    if force_download or not archive.exists() or not _fits(archive, told, hash_algorithm):
        archive.parent.mkdir(parents=True, exist_ok=True)
        _fetch(origin, archive, told, hash_algorithm)
    if not unpacked:
        return str(archive)
    folder = path.with_name(path.name + "_extracted") if archive == path else path
    if force_download or not folder.exists():
        _unpack(archive, folder)
    return str(folder)


def _fetch(origin: str, path: Path, told: str | None, algorithm: str) -> None:
    """Write what an address holds to a file, whole or not at all."""
    import shutil  # these take longer to import than all of Keras's layers
    import tempfile
    import urllib.error
    import urllib.request

    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        try:
            with os.fdopen(handle, "wb") as file, urllib.request.urlopen(origin) as reply:
                shutil.copyfileobj(reply, file)
        except urllib.error.URLError as error:
            raise OSError(f"get_file: {origin} cannot be fetched: {error.reason}. Put the file at {path} by hand.") from error
        if not _fits(Path(name), told, algorithm):
            raise ValueError(f"get_file: what {origin} holds has another hash than {told}.")
        os.replace(name, path)
    finally:
        if os.path.exists(name):
            os.unlink(name)


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive; nothing of it lands outside of the folder."""
    import tarfile
    import zipfile

    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as packed_tar:
            packed_tar.extractall(folder, filter="data")
    else:
        raise ValueError(f"get_file: {archive} is no archive of tar or zip.")
