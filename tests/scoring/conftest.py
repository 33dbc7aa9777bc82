"""Models that the tests of scoring share: made once a session, read by all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scoring import scorers
from tests.scoring.installing import QWEN, REASON, install


@pytest.fixture(scope="session")
def installed_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("models"), QWEN, REASON)


@pytest.fixture
def models_dir(installed_models: Path, settings: Any, tmp_path: Path) -> Iterator[Path]:
    """MODELS_DIR with Qwen's and ReasonEval's; nothing of it stays loaded."""
    settings.MODELS_DIR, settings.DATA_DIR = installed_models, tmp_path
    yield installed_models
    scorers._loaded.clear()
