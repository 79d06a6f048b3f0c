"""What tests of all rooms share.

The PDK is at PDK= or ../shared/pdk/ihp-sg13g2; tests that read it are skipped in one plain line without it.
"""

import os
from pathlib import Path

import pytest

from hw.flow.lib import library


def pytest_addoption(parser):
    parser.addoption("--clean-install", action="store_true",
                     help="the wheel's test installs every dependency from the registry (minutes)")


@pytest.fixture(scope="session")
def pdk():
    folder = Path(os.environ.get("PDK", library.DEFAULT_PDK))
    if not folder.is_dir():
        pytest.skip(f"no IHP SG13G2 views at {folder}: set PDK=")
    return folder


@pytest.fixture(scope="session")
def ihp(pdk):
    return library.load("ihp-sg13g2", pdk)
