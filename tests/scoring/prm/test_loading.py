"""What lies in a model's folder must be what the catalogue says, to the last name; no code from it ever runs."""

import json
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from annotator.errors import Invalid
from scoring.prm import catalogue, engine
from scoring.prm.engine.weights import Weights

QWEN, SHEPHERD, SKYWORK = "qwen2.5-math-prm-7b", "math-shepherd-mistral-7b", "skywork-1.5b"
SPECS = {name: catalogue.load()[name].variant() for name in (QWEN, SHEPHERD, SKYWORK)}
INPUTS = [("a", "What is 1 + 1?", ["It is 2.", "So 2."])]


@pytest.fixture(scope="module")
def made(folders):
    return {name: folders(name) for name in SPECS}


@pytest.fixture
def folder(made, tmp_path):
    """A copy of a tiny model that a test may spoil."""

    def copy(name: str):
        return shutil.copytree(made[name], tmp_path / name)

    return copy


def reweigh(where, change) -> None:
    weights = load_file(where / "model.safetensors")
    change(weights)
    save_file(weights, where / "model.safetensors", metadata={"format": "pt"})


def reconfigure(where, **values) -> None:
    config = json.loads((where / "config.json").read_text()) | values
    (where / "config.json").write_text(json.dumps(config))


def score(name, where) -> list[float]:
    found = [one for batch in engine.score(engine.load(SPECS[name], where, "cpu"), INPUTS) for one in batch]
    return list(found[0].channels["validity"])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda w: w.pop("model.layers.1.mlp.up_proj.weight"),
            "no weights, or of another shape, for model.layers.1.mlp.up_proj",
        ),
        (lambda w: w.update({"score.weight": torch.zeros(2, 32)}), "no use for score.weight"),
        (lambda w: w.pop("score.2.weight"), "no weights named score.2.weight"),
        (lambda w: w.pop("score.0.bias"), "score.0.bias is not there"),
        (lambda w: w.update({"score.2.weight": torch.zeros(3, 32)}), "the head's weights are 32×32, 3×32"),
        (lambda w: w.update({"score.2.bias": torch.zeros(5)}), "the head's weights are"),
        (
            lambda w: w.update({"model.norm.weight": torch.ones(31)}),
            "no weights, or of another shape, for model.norm",
        ),
    ],
)
def test_a_checkpoint_that_is_not_the_models_is_refused(folder, change, complaint):
    where = folder(QWEN)
    reweigh(where, lambda weights: (change(weights), None)[1])
    with pytest.raises(Invalid, match=complaint.replace(".", r"\.")):
        engine.load(SPECS[QWEN], where, "cpu")


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"model_type": "llama"}, "model_type is llama"),
        ({"hidden_size": "wide"}, "that can be read"),
        ({"max_position_embeddings": None}, "says no max_position_embeddings"),
        ({"architectures": ["Qwen2ForCausalLM"]}, r"architectures are \['Qwen2ForCausalLM'\]"),
    ],
)
def test_another_kind_of_model_is_refused(folder, values, complaint):
    where = folder(QWEN)
    reconfigure(where, **values)
    with pytest.raises(Invalid, match=complaint):
        engine.load(SPECS[QWEN], where, "cpu")


def test_a_folder_without_weights_tokenizer_or_configuration_is_refused(folder):
    where = folder(QWEN)
    for name, complaint in (
        ("model.safetensors", "no model.safetensors"),
        ("tokenizer.json", "tokenizer"),
        ("config.json", "config.json"),
    ):
        (where / name).unlink()
        with pytest.raises(Invalid, match=complaint):
            engine.load(SPECS[QWEN], where, "cpu")


def test_code_in_the_folder_does_not_run(folder, made, tmp_path):
    where = folder(QWEN)
    (where / "modeling.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Model: pass\n")
    reconfigure(where, auto_map={"AutoModel": "modeling.Model", "AutoConfig": "modeling.Model"})
    assert score(QWEN, where) == score(QWEN, made[QWEN])
    assert not (tmp_path / "ran").exists()


class Bad:
    def __reduce__(self):
        return (print, ("this ran",))


def test_a_pickle_with_code_in_it_is_refused(folder, capsys):
    where = folder(SKYWORK)
    torch.save({"v_head.summary.weight": Bad()}, where / "pytorch_model.bin", pickle_module=pickle)
    with pytest.raises(Invalid, match=r"pytorch_model\.bin"):
        engine.load(SPECS[SKYWORK], where, "cpu")
    assert "this ran" not in capsys.readouterr().out


def test_weights_in_parts_are_read_as_those_in_one_file(folder, made):
    where = folder(SHEPHERD)
    weights = load_file(where / "model.safetensors")
    (where / "model.safetensors").unlink()
    parts = {f"part-{n}.safetensors": sorted(weights)[n::2] for n in range(2)}
    for name, keys in parts.items():
        save_file({key: weights[key] for key in keys}, where / name, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {key: name for name, keys in parts.items() for key in keys}}
    (where / "model.safetensors.index.json").write_text(json.dumps(index))
    assert score(SHEPHERD, where) == score(SHEPHERD, made[SHEPHERD])


@pytest.mark.parametrize(
    "index",
    [
        "{", "[]", "{}", '{"weight_map": []}', '{"weight_map": {"a": 1}}', '{"weight_map": {"a": "../a.safetensors"}}',
        '{"weight_map": {"lm_head.weight": "a.safetensors"}}',
    ],
)  # fmt: skip
def test_an_index_that_cannot_be_used_is_named(folder, index):
    where = folder(SHEPHERD)
    (where / "model.safetensors").rename(where.parent / "a.safetensors")
    (where / "model.safetensors.index.json").write_text(index)
    with pytest.raises(Invalid, match=r"index\.json|/a\.safetensors"):
        engine.load(SPECS[SHEPHERD], where, "cpu")


def test_a_part_without_what_the_index_says_is_named(folder):
    where = folder(SKYWORK)
    named = {"v_head.summary.weight": "part.bin", "v_head.summary.bias": "part.bin"}
    (where / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": named}))
    for held in ({"other": torch.zeros(1)}, [torch.zeros(1)]):
        torch.save(held, where / "part.bin")
        with pytest.raises(Invalid, match=r"part\.bin"):
            engine.load(SPECS[SKYWORK], where, "cpu")


def test_only_the_rows_asked_for_are_read(made):
    weights = Weights(made[SHEPHERD])
    whole = weights.read("lm_head.weight")
    assert torch.equal(weights.read("lm_head.weight", [5, 2]), whole[[5, 2]])
    with pytest.raises(Invalid, match=f"none numbered {len(whole)}"):
        weights.read("lm_head.weight", [len(whole)])


def test_a_tied_embedding_stands_in_for_the_head(folder, made):
    where = folder(SHEPHERD)

    def tie(weights):
        weights["model.embed_tokens.weight"] = weights.pop("lm_head.weight")

    reweigh(where, tie)
    with pytest.raises(Invalid, match=r"no weights named lm_head\.weight"):
        engine.load(SPECS[SHEPHERD], where, "cpu")
    reconfigure(where, tie_word_embeddings=True)
    assert len(score(SHEPHERD, where)) == 2


def test_the_checkpoints_own_limit_holds(folder):
    where = folder(SHEPHERD)
    reconfigure(where, max_position_embeddings=20)
    model = engine.load(SPECS[SHEPHERD], where, "cpu")
    assert engine.limited(SPECS[SHEPHERD], where) == model.spec
    found = next(engine.score(model, INPUTS))
    assert found[0].too_long
    assert found[0].n_tokens > 20


def test_devices_and_kinds_of_numbers_that_are_not_there_are_refused(made):
    for device, dtype, complaint in (
        ("cuda", "auto", "no GPU"),
        ("cpu", "int8", "int8 is none"),
        ("moon", "auto", "no device"),
    ):
        if device == "cuda" and torch.cuda.is_available():
            continue
        with pytest.raises(Invalid, match=complaint):
            engine.load(SPECS[QWEN], made[QWEN], device, dtype)


def test_only_a_ratio_takes_a_reference(made):
    with pytest.raises(Invalid, match="takes no reference"):
        engine.load(SPECS[QWEN], made[QWEN], "cpu", reference=made[QWEN])
