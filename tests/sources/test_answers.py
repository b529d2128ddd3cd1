"""Answers about weights: in the recipe as settled, in the stored command, in every command."""

import shlex

import pytest
import torch
from fake_chips import write_chips
from made_weights import flat_pair, load, network, pair, prefixed, saved, small, tensors

from featbank.backbones import BACKBONES
from featbank.backbones.answers import HEADS
from featbank.bank.checkpoints import read_checkpoint
from featbank.cli.main import run
from featbank.errors import StoreError, UsageError, WeightsError
from featbank.recipes.recipe import recipe_id
from featbank.recipes.same_embedding import require_same_embedding
from featbank.sources.embed_options import EmbedOptions, Followed
from featbank.sources.following import following
from featbank.sources.weights import answers_of
from featbank.stages.embed import plan as embed_plan
from featbank.stages.embed.attributes import attributes
from featbank.stages.embed.plan import plan_embed
from featbank.stages.finetune.options import FinetuneOptions
from featbank.stages.finetune.plan import plan_finetune
from featbank.stages.finetune.run import finetune_model
from featbank.stages.pretrain.options import PretrainOptions
from featbank.stages.pretrain.planning import plan_pretrain


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=20)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A file of two networks, and one of one."""
    folder = tmp_path_factory.mktemp("w")
    return {
        "pair": saved(pair("teacher", "student"), "pair.pth")(folder),
        "one": tensors(network, "one.safetensors")(folder),
        "flat": saved(flat_pair("s1.", "s2."), "flat.pth")(folder),
    }


@pytest.fixture
def plan(imagery, files, tmp_path, monkeypatch):
    """Plans an embed run of a small network."""
    spec = small()
    usual = embed_plan.named_backbone
    monkeypatch.setattr(
        embed_plan,
        "named_backbone",
        lambda options: (spec, options) if options.model == spec.name else usual(options),
    )

    def make(file="pair", **options):
        settings = {"model": "vit-tiny", "dataset": str(imagery), "normalise": "half"}
        settings |= {"image_size": 16, "workers": 0, "dtype": "float32", "bank": tmp_path / "b"}
        return plan_embed(EmbedOptions(**settings | {"weights": str(files[file])} | options))

    return make


def identity(plan):
    return recipe_id(plan.recipe)


@pytest.mark.parametrize(
    "answers",
    [{"part": "teacher"}, {"heads": 2}, {"heads": "2"}, {"part": "teacher", "heads": "2"}],
)
def test_an_answer_equal_to_the_default_is_the_same_recipe(plan, answers):
    assert identity(plan(answers=answers)) == identity(plan())


@pytest.mark.parametrize("answers", [{"part": "student"}, {"heads": 4}])
def test_another_answer_is_another_recipe(plan, answers):
    made = plan(answers=answers)
    assert identity(made) != identity(plan())
    assert {n: made.recipe["model"]["config"][n] for n in answers} == answers


def test_two_words_for_a_part_are_one_recipe(plan):
    first, second = (plan("flat", answers={"part": p}) for p in ("s1", "state_dict.s1"))
    assert identity(first) == identity(second)


def told(plan):
    """Answers of the stored command."""
    words = shlex.split(attributes(plan)["command"])
    return dict(words[i + 1].split("=", 1) for i, word in enumerate(words) if word == "--answer")


def test_the_stored_command_repeats_the_recipe(plan):
    made = plan(answers={"part": "student", "heads": 4})
    assert told(made) == {"part": "student", "heads": "4"}
    assert identity(plan(answers=told(made))) == identity(made)


def test_the_stored_command_names_a_part_in_full(plan):
    assert told(plan("flat", answers={"part": "s1"})) == {"part": "state_dict.s1"}


def test_without_answers_the_command_has_none(plan):
    assert told(plan()) == {}


def followed(plan):
    recipe = plan.recipe
    return Followed(recipe=recipe, weights=plan.weights.origin)


def test_images_to_predict_are_embedded_with_the_answers_of_the_recipe(
    plan, files, imagery, tmp_path
):
    made = plan(answers={"part": "student", "heads": 4})
    asked = following(
        followed(made), dataset=str(imagery), weights=str(files["pair"]), workers=0, bank=tmp_path
    )
    require_same_embedding(made.recipe, plan_embed(asked).recipe, subject="x", remedy="y")


def test_other_answers_than_those_of_the_recipe_are_refused(plan, files, imagery, tmp_path):
    made = plan(answers={"heads": 4})
    asked = following(
        followed(made), dataset=str(imagery), weights=str(files["pair"]), workers=0, bank=tmp_path
    )
    other = plan_embed(EmbedOptions(**{**vars(asked), "answers": {**asked.answers, "heads": 2}}))
    with pytest.raises(StoreError, match="heads 2 instead of 4"):
        require_same_embedding(made.recipe, other.recipe, subject="x", remedy="Name them.")


DINOV2 = BACKBONES["dinov2-small"]
DOFA = BACKBONES["dofa"]


@pytest.mark.parametrize(
    ("spec", "alias", "answers"),
    [
        (DINOV2, {"positions": "transformers"}, {"positions": "transformers"}),
        (DOFA, {"dofa_reshape": "old"}, {"reshape": "old"}),
    ],
)
def test_the_old_spelling_says_the_same(spec, alias, answers):
    old, new, both = (
        answers_of(spec, EmbedOptions(model=spec.name, dataset="x", **said))
        for said in (alias, {"answers": answers}, {**alias, "answers": answers})
    )
    assert old == new == both == answers


def test_the_two_spellings_must_not_differ():
    said = {"positions": "original", "answers": {"positions": "transformers"}}
    with pytest.raises(UsageError, match="another option says positions original"):
        answers_of(DINOV2, EmbedOptions(model="dinov2-small", dataset="x", **said))


def dofa(tmp_path):
    """A small DOFA whose file's hash nobody knows, and its spec."""
    sizes = {"dim": 32, "depth": 2, "heads": 2, "mlp_dim": 64, "patch_px": 16, "grid": 14}
    spec = small("dofa", **sizes)
    state = {n: v for n, v in spec.initial(spec.config, 0).items() if "fc_norm" not in n}
    return spec, saved(lambda: {"model": prefixed("net.", state)})(tmp_path)


@pytest.mark.parametrize("reshape", ["new", "old"])
def test_reshape_is_an_answer_of_dofa_alone(reshape, tmp_path):
    spec, path = dofa(tmp_path)
    old, new = (
        load(path, spec, **said)
        for said in ({"dofa_reshape": reshape}, {"answers": {"reshape": reshape}})
    )
    assert old.config == new.config
    assert new.config["reshape"] == reshape


def test_dofa_without_the_answer_asks_for_it(tmp_path):
    spec, path = dofa(tmp_path)
    with pytest.raises(WeightsError, match="Pass --answer reshape=new"):
        load(path, spec)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--answer", "heads"], "no NAME=VALUE"),
        (["--answer", "=3"], "no NAME=VALUE"),
        (["--answer", "heads="], "no NAME=VALUE"),
        (["--answer", "heads=3", "--answer", "heads=6"], "answered twice"),
        (["--answer", "hedas=3"], "Did you mean 'heads'"),
        (["--answer", "heads=many"], "expected a whole number"),
        (["--answer", "positions=original"], "leaves no such choice"),
    ],
)
def test_a_bad_answer_is_an_error_of_use(words, says, imagery, files, tmp_path, capsys):
    command = ["embed", "--model", "vit-tiny", "--normalise", "half", "--dataset", str(imagery)]
    weights = ["--weights", str(files["one"]), "--bank", str(tmp_path)]
    assert run([*command, *weights, *words]) == 2
    assert says in capsys.readouterr().err


def test_a_models_answers_are_listed(capsys):
    assert run(["models", "dinov2-small"]) == 0
    shown = capsys.readouterr().out
    assert all(f"answers: {name}" in shown for name in ("part", "heads", "positions"))
    assert "original or transformers" in shown


@pytest.mark.parametrize("name", ["imagestats", "rcf", "dinov3-small"])
def test_a_model_without_answers_takes_none(name):
    with pytest.raises(UsageError, match="leaves no such choice"):
        answers_of(BACKBONES[name], EmbedOptions(model=name, dataset="x", answers={"heads": 2}))


def test_a_fine_tuned_checkpoint_is_one_of_the_network_alone(plan, imagery, files, tmp_path):
    asked = FinetuneOptions(
        model="vit-tiny",
        dataset=str(imagery),
        weights=str(files["pair"]),
        answers={"part": "student", "heads": "4"},
        normalise="half",
        image_size=16,
        epochs=1,
        resamples=0,
        workers=0,
        dtype="float32",
        bank=tmp_path / "b",
    )
    report = finetune_model(plan_finetune(asked))
    record = read_checkpoint(report.checkpoint)
    assert (record.config["heads"], "part" in record.config) == (4, False)
    assert "--answer part=student --answer heads=4" in record.command


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A whole tiny network's file, wrapped twice."""
    spec = BACKBONES["vit-tiny"]
    config = {**spec.config, "patch_px": 8, "grid": 4}
    state = {n: v + torch.randn(v.shape) * 0.01 for n, v in spec.initial(config, 0).items()}
    both = {"model": state, "model_ema": {n: v + 1e-3 for n, v in state.items()}}
    return saved(lambda: both, "tiny.pth")(tmp_path_factory.mktemp("t"))


def pretraining(imagery, tiny, tmp_path, **more):
    settings = {"method": "mae", "model": "vit-tiny", "image_size": 32, "patch": 8, "workers": 0}
    settings |= {"dataset": str(imagery), "weights": str(tiny), "bank": tmp_path / "b"}
    return plan_pretrain(PretrainOptions(**settings | more))


def test_a_warm_start_says_what_it_took_and_assumed(imagery, tiny, tmp_path):
    made = pretraining(imagery, tiny, tmp_path)
    assert made.recipe["start"]["part"] == "model_ema"
    assert any("averaged weights 'model_ema' are taken" in note for note in made.notes)
    assert any("3 attention heads are assumed (width / 64)" in note for note in made.notes)


def test_a_warm_start_takes_answers(imagery, tiny, tmp_path):
    made = pretraining(imagery, tiny, tmp_path, answers={"part": "model", "heads": "6"})
    assert (made.recipe["start"]["part"], made.recipe["model"]["config"]["heads"]) == ("model", 6)
    assert "--answer part=model --answer heads=6" in made.command
    again = pretraining(imagery, tiny, tmp_path, answers={"heads": 6, "part": "model"})
    assert recipe_id(again.recipe) == recipe_id(made.recipe)


def test_a_warm_starts_default_answers_are_the_same_recipe(imagery, tiny, tmp_path):
    usual, said = (
        pretraining(imagery, tiny, tmp_path, answers=answers)
        for answers in ({}, {"part": "model_ema", "heads": 3})
    )
    assert recipe_id(usual.recipe) == recipe_id(said.recipe)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"heads": 5}, "does not divide the model's width"),
        ({"hedas": 6}, "Did you mean 'heads'"),
        ({"positions": "original"}, "leaves no such choice"),
    ],
)
def test_a_warm_starts_bad_answers_are_refused(imagery, tiny, tmp_path, answers, says):
    with pytest.raises(UsageError, match=says):
        pretraining(imagery, tiny, tmp_path, answers=answers)


def test_an_untrained_start_takes_no_answers(imagery, tiny, tmp_path):
    with pytest.raises(UsageError, match="leaves no such choice"):
        pretraining(imagery, tiny, tmp_path, weights=None, answers={"heads": 6})


def test_every_answer_says_what_it_settles():
    declared = {answer for spec in BACKBONES.values() for answer in spec.answers}
    assert HEADS in declared
    assert all(answer.help and answer.default for answer in declared)
