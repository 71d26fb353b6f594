"""Pictures that are changed, by the shipped model and by toys of the real ones, or refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import FluxImg2ImgPipeline, FluxKontextPipeline
from PIL import Image as Pictures

from assistant.grounding import faults
from assistant.history import made_by
from tests.contexts import Reports, context, small_index
from tests.hub import serving
from tests.toys import toy, toy_lora
from tests.toys.depth import save_depth
from tools import recipe
from tools.base import Agreement, Block, Image, NeedsConsent, NeedsInput, Stopped, Text, ToolFailed
from tools.edit import edit
from tools.editors import DEPTH
from tools.models import Models
from tools.pocket.judge import judged, load_judge
from tools.pocket.recipes.measures import EDIT_CALL
from tools.pocket.world import Scene, Thing, draw_many

HEART = "a large green heart on a blue background"
OVER: dict[str, Any] = {"prompt": HEART, "mode": "img2img"}
TOYS = {  # by names that say nothing about what they are
    "teller": "FLUX.1-Kontext-dev", "follower": "FLUX.1-Canny-dev", "filler": "FLUX.1-Fill-dev",
    "combiner": "FLUX.2-klein-4B",
}  # fmt: skip
FEW: dict[str, Any] = {"steps": 2, "seed": 7}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with toys of the real models, and adapters for the shipped one and for another."""
    folder = tmp_path_factory.mktemp("home")
    for name, kind in TOYS.items():
        toy(kind, folder / "models" / name)
    (folder / "adapters" / "in-a-folder").mkdir(parents=True)
    shipped = Models("cpu", folder, offline=True, audience="local").weights("pocket-flux")
    assert shipped
    toy_lora(shipped, folder / "adapters" / "mine.safetensors", 1)
    toy_lora(shipped, folder / "adapters" / "in-a-folder" / "any.safetensors", 2)
    toy_lora(folder / "models" / "combiner", folder / "adapters" / "klein.safetensors", 3)
    (folder / "adapters" / "broken.safetensors").write_bytes(b"nothing")
    (folder / "adapters" / "pickled.bin").write_bytes(b"\x80\x04N.")
    return folder


@pytest.fixture(scope="module")
def models(home: Path) -> Models:
    return Models("cpu", home, offline=True, audience="local")


def given(folder: Path, size: tuple[int, int] = (96, 96), name: str = "mine.png") -> Path:
    """A picture: a red square on blue."""
    picture = Pictures.new("RGB", size, "blue")
    picture.paste((255, 0, 0), (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    picture.save(folder / name)
    return folder / name


def half(folder: Path, size: tuple[int, int] = (96, 96)) -> Path:
    """A mask: the left half may change."""
    mask = Pictures.new("L", size)
    mask.paste(255, (0, 0, size[0] // 2, size[1]))
    mask.save(folder / "mask.png")
    return folder / "mask.png"


def changed(folder: Path, models: Models, *images: Path, **arguments: Any) -> list[Block]:
    blocks = list(edit(context(folder, models), images=images, **{**FEW, **arguments}))
    assert all(faults(block, small_index().names) == () for block in blocks)
    return blocks


def results(blocks: list[Block]) -> list[Image]:
    return [one for one in blocks if isinstance(one, Image) and "shows" not in one.metadata]


def pixels(source: Path | Block) -> np.ndarray[Any, Any]:
    path = source.path if isinstance(source, Image) else source
    assert isinstance(path, Path)
    with Pictures.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def said(blocks: list[Block]) -> str:
    return "\n".join(block.text for block in blocks if isinstance(block, Text))


def test_words_draw_over_a_picture_as_the_stock_pipeline_does(
    tmp_path: Path, models: Models
) -> None:
    source, folder = given(tmp_path), models.weights("pocket-flux")
    blocks = changed(tmp_path, models, source, **OVER, strength=0.7, steps=4)
    stock: Any = FluxImg2ImgPipeline.from_pretrained(folder, dtype=torch.float32)
    stock.set_progress_bar_config(disable=True)
    wanted = stock(
        HEART, image=Pictures.open(source), width=96, height=96, strength=0.7,
        num_inference_steps=4, true_cfg_scale=3.5, negative_prompt="", max_sequence_length=20,
        generator=torch.Generator().manual_seed(7),
    ).images[0]  # fmt: skip
    [result] = results(blocks)
    assert (pixels(result) == np.asarray(wanted)).all()


def drawn(folder: Path, name: str, kind: str, background: str) -> Path:
    """A picture of the pocket world: a large red thing."""
    scene = Scene((Thing(kind, "red", "solid", "large", "centre", 0),), background, 0)
    Pictures.fromarray(draw_many([scene])[0]).save(folder / name)
    return folder / name


def test_an_instruction_is_followed_as_by_the_stock_pipeline(
    tmp_path: Path, models: Models
) -> None:
    source = drawn(tmp_path, "heart.png", "heart", "white")
    told = "make it blue"
    [result] = results(changed(tmp_path, models, source, prompt=told, steps=None))
    made = recipe.read(result.path)
    assert made
    assert (made.model, made.mode, made.prompt) == ("pocket-kontext", "instruct", told)
    stock: Any = FluxKontextPipeline.from_pretrained(
        models.weights("pocket-kontext"), dtype=torch.float32
    )
    stock.set_progress_bar_config(disable=True)
    image, generator = Pictures.open(source), torch.Generator().manual_seed(7)
    wanted = stock(prompt=told, image=image, generator=generator, **EDIT_CALL).images[0]
    assert (pixels(result) == np.asarray(wanted)).all()
    [seen] = judged(load_judge(), pixels(result)[None].copy())
    assert (seen.things[0].colour, seen.background) == ("blue", "white")


def test_the_thing_of_one_picture_comes_on_the_background_of_another(
    tmp_path: Path, models: Models
) -> None:
    heart = drawn(tmp_path, "heart.png", "heart", "white")
    star = drawn(tmp_path, "star.png", "star", "black")
    told = "put the heart of the first on the background of the second"
    blocks = changed(tmp_path, models, heart, star, prompt=told, steps=None)
    [result] = results(blocks)
    made = recipe.read(result.path)
    assert made
    assert (made.model, made.mode) == ("pocket-kontext", "reference")
    [seen] = judged(load_judge(), pixels(result)[None].copy())
    assert (seen.things[0].kind, seen.background) == ("heart", "black")
    given = [one for one in blocks if isinstance(one, Image) and one not in results(blocks)]
    assert [(one.alt, pixels(one).tobytes()) for one in given] == [
        ("Before", pixels(heart).tobytes()),
        ("Before", pixels(star).tobytes()),
    ]


def test_the_answer_shows_before_and_after_and_keeps_the_recipe(
    tmp_path: Path, models: Models
) -> None:
    source = given(tmp_path)
    blocks = changed(tmp_path, models, source, **OVER, count=2, adapter="mine:0.5")
    before, first, second = (block for block in blocks if isinstance(block, Image))
    assert (pixels(before) == pixels(source)).all()
    assert made_by(blocks).pictures == (first.path, second.path)
    made = [recipe.read(block.path) for block in (first, second)]
    assert made[0]
    assert (made[0].prompt, made[0].model, made[0].mode) == (HEART, "pocket-flux", "img2img")
    assert (made[0].strength, made[0].steps, made[0].guidance) == (0.8, 2, 3.5)
    assert made[0].adapters == (("mine", 0.5),)
    assert [one.seed for one in made if one] == [7, 8]
    assert "2 steps, img2img at strength 0.8, mine at 0.5" in said(blocks)
    assert "our own small model" in said(blocks)
    assert recipe.read(before.path) is None


def test_only_what_is_under_the_mask_changes(tmp_path: Path, models: Models) -> None:
    source, mask = given(tmp_path, (200, 150)), half(tmp_path, (200, 150))
    blocks = changed(tmp_path, models, source, prompt=HEART, mask=mask)
    [result] = results(blocks)
    before, after = pixels(source), pixels(result)
    assert after.shape == before.shape
    assert (after[:, 100:] == before[:, 100:]).all()
    assert (after[:, :100] != before[:, :100]).any()
    assert result.metadata["mode"] == "inpaint"
    assert "drew at 96 x 96 pixels" in said(blocks)


def test_a_picture_is_extended(tmp_path: Path, models: Models) -> None:
    source = given(tmp_path)
    blocks = changed(tmp_path, models, source, expand={"left": 48})
    [result] = results(blocks)
    assert pixels(result).shape == (96, 144, 3)
    assert (pixels(result)[:, 48:] == pixels(source)).all()
    assert result.metadata["mode"] == "outpaint"
    assert result.metadata["size"] == "144x96"
    blocks = changed(tmp_path, models, source, expand="top 10%", prompt="a gothic sky")
    assert "does not know these words, and went on from the picture alone" in said(blocks)


def test_a_picture_alone_is_varied(tmp_path: Path, models: Models) -> None:
    [result] = results(changed(tmp_path, models, given(tmp_path)))
    assert result.metadata["mode"] == "variation"
    assert result.metadata["strength"] == "0.6"


def test_a_picture_of_another_size_is_brought_to_what_the_model_takes_and_that_is_said(
    tmp_path: Path, models: Models
) -> None:
    blocks = changed(tmp_path, models, given(tmp_path, (200, 150)), prompt="make it blue")
    assert (
        "Your picture of 200 x 150 pixels was brought to 96 x 96 pixels, as pocket-kontext takes "
        "it; that changes its shape."
    ) in said(blocks)


@pytest.mark.parametrize("name", ["teller", "combiner"])
def test_a_model_that_edits_by_instruction(tmp_path: Path, models: Models, name: str) -> None:
    source, other = given(tmp_path, (90, 64)), given(tmp_path, (64, 64), "other.png")
    told = {"prompt": "make it blue", "model": name, "steps": 1}
    blocks = changed(tmp_path, models, source, **told)
    [result] = results(blocks)
    assert result.metadata["mode"] == "instruct"
    assert "strength" not in result.metadata
    assert pixels(result).shape == (64, 96, 3)
    assert "brought to 96 x 64 pixels" in said(blocks)
    if name == "combiner":
        [both] = results(changed(tmp_path, models, source, other, **told))
        assert both.metadata["mode"] == "reference"
    else:
        with pytest.raises(ToolFailed, match="takes 1 picture at most for reference, but 2 were"):
            changed(tmp_path, models, source, other, **told)


def test_a_model_that_follows_a_map(tmp_path: Path, models: Models) -> None:
    source = given(tmp_path, (64, 64))
    told = {"prompt": "a red fox", "model": "follower", "steps": 1}
    with pytest.raises(NeedsInput, match=r"What shall follower follow\?"):
        changed(tmp_path, models, source, **told)
    blocks = changed(tmp_path, models, source, mode="canny", **told)
    assert "follows the edges of yours, which I found first" in said(blocks)
    with pytest.raises(NeedsInput, match="Have you got a map of depth") as asked:
        changed(tmp_path, models, source, mode="depth", **told)
    assert asked.value.choices == ("Follow its edges",)
    Pictures.linear_gradient("L").save(tmp_path / "depth.png")
    [result] = results(
        changed(tmp_path, models, tmp_path / "depth.png", mode="depth", width=64, **told)
    )
    assert pixels(result).shape == (64, 64, 3)


def test_the_depth_of_a_photo_is_found_first(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as hub:
        hub.use(monkeypatch, tmp_path / "cache")
        hub.add(DEPTH, save_depth(tmp_path / "depth"))
        source, online = given(tmp_path, (64, 64)), Models("cpu", home, False, "local")
        blocks = changed(
            tmp_path, online, source, prompt="a fox", model="follower", mode="depth", steps=1
        )
    assert f"follows the depth of yours, as {DEPTH} tells it" in said(blocks)
    assert pixels(results(blocks)[0]).shape == (64, 64, 3)


def test_a_model_that_only_fills(tmp_path: Path, models: Models) -> None:
    source, told = given(tmp_path, (64, 64)), {"prompt": "a red fox", "model": "filler"}
    with pytest.raises(NeedsInput, match="Which part of the picture shall change"):
        changed(tmp_path, models, source, **told)
    [result] = results(
        changed(tmp_path, models, source, mask=half(tmp_path, (64, 64)), **told, steps=1)
    )
    assert (pixels(result)[:, 32:] == pixels(source)[:, 32:]).all()


def test_a_stop_is_within_a_step(tmp_path: Path, models: Models) -> None:
    report = Reports(stop=Stopped(), stop_at=1)
    with pytest.raises(Stopped):
        list(edit(context(tmp_path, models, report=report), (given(tmp_path),), HEART, **FEW))
    assert len(report.told) == 2
    assert results(changed(tmp_path, models, given(tmp_path), prompt=HEART))


def test_what_is_long_is_asked_first(tmp_path: Path, models: Models) -> None:
    impatient = context(tmp_path, models, agreement=Agreement(seconds=0.001))
    with pytest.raises(NeedsConsent, match="These pictures take about"):
        list(edit(impatient, (given(tmp_path),), HEART, count=3, **FEW))


def test_adapters_are_worn_for_one_edit(tmp_path: Path, models: Models, home: Path) -> None:
    source = given(tmp_path)

    def after(adapter: str | None = None) -> bytes:
        blocks = changed(tmp_path, models, source, **OVER, adapter=adapter)
        return pixels(results(blocks)[0]).tobytes()

    plain = after()
    worn = [after("mine"), after("in-a-folder"), after("mine:0.5, in-a-folder:0.5")]
    assert len({plain, *worn}) == 4
    assert after(f"{home / 'adapters' / 'mine.safetensors'}:1.0") == worn[0]
    assert after("mine:0") == plain
    assert after() == plain


@pytest.mark.parametrize(
    ("adapter", "says"),
    [
        ("mime", r"^No adapter is called 'mime'. The nearest: mine"),
        ("../adapters/nothing", "No adapter is called '../adapters/nothing'"),
        ("mine:strong", "'strong' is no strength of an adapter"),
        ("mine:nan", "strength nan of the adapter mine is out of bounds"),
        ("mine:50", "strength 50 of the adapter mine is out of bounds. Give one from -4 to 4"),
        (",".join(["mine"] * 9), "There are 9 adapters; at most 8"),
        ("klein", "adapter klein.safetensors was not made for pocket-flux"),
        ("broken", "adapter broken.safetensors cannot be read"),
        ("pickled", "adapter pickled.bin is no safetensors file"),
    ],
)
def test_adapters_that_will_not_do(tmp_path: Path, models: Models, adapter: str, says: str) -> None:
    with pytest.raises(ToolFailed, match=says):
        changed(tmp_path, models, given(tmp_path), **OVER, adapter=adapter)


def test_in_public_no_path_is_taken_or_told(tmp_path: Path, home: Path) -> None:
    public = Models("cpu", home, offline=True, audience="public")
    assert [one.name for one in public.adapters("mine:0.5")] == ["mine"]
    with pytest.raises(ToolFailed, match="No adapter is called") as refused:
        public.adapters(str(home / "adapters" / "mine.safetensors"))
    assert "Put it into" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            {"prompt": "a gothic star"},
            "not know: gothic. Describe what shall be there",
        ),
        ({"mode": "img2img"}, "What shall I change"),
        ({"mode": "inpaint", "prompt": HEART}, "Which part of the picture shall change"),
        ({"mode": "outpaint", "prompt": HEART}, "How far shall I extend"),
        ({"prompt": HEART, "width": 0}, "nearest size that it takes is 96 x 96"),
        ({"prompt": HEART, "width": 7}, "nearest size that it takes is 96 x 96"),
        ({"prompt": HEART, "width": -64}, "nearest size that it takes is 96 x 96"),
        ({"prompt": HEART, "height": 10**9}, "nearest size that it takes is 96 x 96"),
    ],
)
def test_what_is_asked_back(
    tmp_path: Path, models: Models, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(NeedsInput, match=says):
        changed(tmp_path, models, given(tmp_path), model="pocket-flux", **arguments)


def test_what_two_pictures_shall_become_is_asked(tmp_path: Path, models: Models) -> None:
    two = given(tmp_path), given(tmp_path, name="two.png")
    with pytest.raises(NeedsInput, match="What shall the new picture show") as asked:
        changed(tmp_path, models, *two)
    [choice] = asked.value.choices
    assert len(results(changed(tmp_path, models, *two, prompt=choice))) == 1


def test_without_a_picture(tmp_path: Path, models: Models) -> None:
    with pytest.raises(NeedsInput, match="Which picture shall I change"):
        changed(tmp_path, models, prompt=HEART)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"prompt": "a" * 100_000}, "The prompt has 100,000 characters"),
        ({"prompt": HEART, "strength": 0.0}, "Strength 0 leaves the picture as it is"),
        ({"prompt": HEART, "mode": "canny"}, "pocket-flux does not do canny: it does img2img"),
        ({"prompt": HEART, "mode": "instruct"}, "does not do instruct: .* Name another model"),
        ({"prompt": HEART, "model": "pocket-convnext"}, "classifies pictures"),
        ({"expand": "sideways"}, "'sideways' does not tell how far"),
        ({"mask": Path("any.png"), "mode": "img2img", "prompt": HEART}, "img2img takes no mask"),
        ({"mask": Path("any.png"), "expand": "left 9"}, "inpaint does not extend a picture"),
        (
            {"prompt": "make it blue", "model": "combiner", "strength": 0.5},
            "takes no strength for instruct",
        ),
        (
            {"prompt": "a fox", "model": "FLUX.1-Redux-dev", "mode": "variation"},
            "FLUX.1-Redux-dev cannot be used here",
        ),
    ],
)
def test_what_is_refused(
    tmp_path: Path, models: Models, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(ToolFailed, match=says):
        changed(tmp_path, models, given(tmp_path), **{"model": "pocket-flux", **arguments})


def test_pictures_that_will_not_do(tmp_path: Path, models: Models) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(given(tmp_path).read_bytes()[:60])
    with pytest.raises(ToolFailed, match=r"broken.png is cut short or damaged"):
        changed(tmp_path, models, broken, prompt=HEART)
    with pytest.raises(ToolFailed, match=r"mask.png is 64 x 64 pixels, but the picture is 96 x 96"):
        changed(tmp_path, models, given(tmp_path), prompt=HEART, mask=half(tmp_path, (64, 64)))
    two = given(tmp_path), given(tmp_path, name="two.png")
    with pytest.raises(ToolFailed, match="takes 1 picture at most for img2img, but 2 were given"):
        changed(tmp_path, models, *two, prompt=HEART, mode="img2img")


def test_what_no_model_here_does(tmp_path: Path, models: Models) -> None:
    with pytest.raises(
        ToolFailed, match=r"Following edges takes a model such as FLUX.1-Canny-dev, which is not"
    ):
        changed(tmp_path, models, given(tmp_path), prompt=HEART, mode="canny")
