"""`whetstone adapters …` and `ask --adapter` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli.ask import adapters_of
from engine.cli.main import main
from engine.errors import InvalidInput
from engine.paths import Home
from tests.adapters import write_random_lora
from tests.models import write_tiny_gguf


def run(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> Any:
    assert main([*words, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_from_a_file_to_an_answer(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = write_tiny_gguf(tmp_path / "base.gguf")
    model = run(capsys, "models", "add", str(base))["id"]
    lora = write_random_lora(tmp_path / "lora.gguf", base)
    assert run(capsys, "adapters", "list") == {"rows": []}
    card = run(capsys, "adapters", "import", str(lora), "--model", model, "--name", "Mine")
    assert (card["id"], card["proof"], card["model"]) == ("mine", "none", model)
    ask = ["ask", "abc", "--mode", "none", "--conversation", ""]
    plain = run(capsys, *ask, "--model", model)
    tuned = run(capsys, *ask, "--adapter", "mine")
    assert (plain["adapter"], tuned["adapter"], tuned["model"]) == (None, "mine", model)
    assert plain["answer"] != tuned["answer"]
    assert run(capsys, "adapters", "enable", "mine", "--scale", "0.5")["scale"] == 0.5
    assert run(capsys, *ask, "--model", model)["adapter"] == "mine:0.5"
    assert run(capsys, *ask, "--model", model, "--adapter", "none")["adapter"] is None
    assert run(capsys, "adapters", "disable", "mine")["enabled"] is False
    assert run(capsys, "adapters", "rename", "mine", "Yours")["name"] == "Yours"
    out = tmp_path / "out.gguf"
    assert run(capsys, "adapters", "export", "yours", str(out))["path"] == str(out)
    error = run(capsys, "adapters", "export", "yours", str(out), status=2)
    assert error["error"]["kind"] == "InvalidInput"
    assert main(["adapters", "list"]) == 0
    assert "not proven here" in capsys.readouterr().out
    assert run(capsys, "adapters", "show", "yours")["id"] == "mine"
    assert run(capsys, "adapters", "remove", "yours") == {"removed": "mine"}
    run(capsys, *ask, "--adapter", "mine", status=2)


def test_adapters_with_scales() -> None:
    assert adapters_of([]) == ("", [])
    assert adapters_of(["none"]) == ("none", [])
    _, mix = adapters_of(["a:0.5", "b"])
    assert [(one.adapter, one.scale) for one in mix] == [("a", 0.5), ("b", 1.0)]
    for wrong in ("a:x", "a:99"):
        with pytest.raises(InvalidInput, match="scale"):
            adapters_of([wrong])
