"""The guards of the tests themselves."""

import socket

import pytest
from django.conf import settings

from tests.conftest import is_loopback


def test_other_machines_cannot_be_reached() -> None:
    with socket.socket() as client, pytest.raises(RuntimeError, match="only this machine"):
        client.connect(("192.0.2.1", 80))  # an address that belongs to documentation


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_data_are_temporary() -> None:
    assert "plumbline-test-" in str(settings.DATA_DIR)
    assert str(settings.BASE_DIR) not in str(settings.DATA_DIR)
