"""Why a script does not start, said so that one knows what to do: a package that is not installed, a line of Python 2."""

from __future__ import annotations

import sys

__all__ = ["missing_module", "python_2", "remedy"]

DISTRIBUTIONS = {
    "matplotlib": "matplotlib", "mpl_toolkits": "matplotlib", "pylab": "matplotlib", "scipy": "scipy", "pandas": "pandas",
    "sklearn": "scikit-learn", "skimage": "scikit-image", "seaborn": "seaborn", "sympy": "sympy", "h5py": "h5py",
    "tqdm": "tqdm", "yaml": "PyYAML", "PIL": "Pillow", "cv2": "opencv-python", "joblib": "joblib", "numba": "numba",
    "plotly": "plotly", "pyvista": "pyvista", "meshio": "meshio", "vtk": "vtk", "imageio": "imageio", "IPython": "ipython",
    "pyDOE": "pydoe", "pyDOE2": "pyDOE2", "pyDOE3": "pyDOE3", "pydoe": "pydoe", "SALib": "SALib", "openpyxl": "openpyxl",
    "jax": "jax", "torch": "torch", "networkx": "networkx", "statsmodels": "statsmodels", "xlrd": "xlrd", "xarray": "xarray",
    "netCDF4": "netCDF4", "chaospy": "chaospy", "mpmath": "mpmath", "tabulate": "tabulate", "termcolor": "termcolor",
    "skopt": "scikit-optimize",
    "wandb": "wandb", "psutil": "psutil", "cycler": "cycler", "colorama": "colorama", "hdf5storage": "hdf5storage",
}  # fmt: skip
"""By the name that is imported: the name that pip knows. None is guessed: what has a stranger's name may be a stranger's."""


def missing_module(error: ImportError) -> str | None:
    """Return what to do about a module that is not there, None for an error of another kind."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    top = error.name.partition(".")[0]
    if top in sys.modules and top != error.name:
        return None  # the package is there, without this part
    return remedy(top)


def remedy(top: str) -> str:
    """Return what to do about a package that is not there."""
    if top in DISTRIBUTIONS:
        return f"the module {top} is not installed here: {_python()} -m pip install {DISTRIBUTIONS[top]}"
    return (
        f"there is no module {top}, neither installed here nor beside the script. If it is one of the script's own, found by a "
        "relative path, run the script from its own folder."
    )


def _python() -> str:
    return sys.executable or "python"


SIGNS = (("call to 'print'", "print without parentheses"), ("call to 'exec'", "exec without parentheses"),
         ("multiple exception types", "`except A, e`"), ("leading zeros", "octal numbers such as 0777"))  # fmt: skip


def python_2(error: SyntaxError) -> str | None:
    """Return what to say of source that is Python 2's, None for any other."""
    found = next((what for sign, what in SIGNS if sign in (error.msg or "")), None)
    if found is None:
        return None
    return f"this is Python 2 ({found}), and this is Python 3: convert the script first, Wengert does not change its language."
