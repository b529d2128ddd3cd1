"""The interactive scatter in a true browser: the Python side and the page talk as in Jupyter."""

import base64
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from fake_chips import write_chips
from fake_map import make_map

import featbank

SCATTER = Path(featbank.__file__).parent / "pages" / "scatter" / "scatter.js"
CHROME = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--use-angle=swiftshader"),
    *("--enable-unsafe-swiftshader", "--window-size=1000,700"),
)
BYTES = ("_xy", "_codes", "_selected")
# What anywidget's model does, over two lists instead of a comm.
MODEL = """
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const heard = {}, state = STATE;
for (const name of BYTES) state[name] = bytes(state[name]);
window.sent = [];
const say = (name, ...about) => (heard[name] || []).forEach((each) => each(...about));
window.model = {
  get: (name) => state[name],
  set: (name, value) => ((state[name] = value), window.sent.push({ set: name, value })),
  save_changes: () => {},
  on: (name, each) => (heard[name] ||= []).push(each),
  off: (name, each) => (heard[name] = (heard[name] || []).filter((other) => other !== each)),
  send: (content, _, buffers) => window.sent.push({ content,
    buffers: (buffers || []).map((b) => Array.from(new Uint8Array(b))) }),
};
window.told = (name, value) => ((state[name] = BYTES.includes(name) ? bytes(value) : value),
  say(`change:${name}`));
window.message = (content, buffers) => say("msg:custom", content, buffers.map(bytes));
window.tidy = render({ model: window.model, el: document.body });
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SCATTER.exists(), reason="needs pages/scatter/scatter.js"),
    pytest.mark.skipif(not (CHROME and DRIVER), reason="needs chromium and chromedriver"),
]


def packed(data):
    return base64.b64encode(data).decode()


class Page:
    """A view of a widget: what either side says is carried to the other by ``talk``."""

    def __init__(self, browser, widget, path):
        self.browser, self.widget = browser, widget
        state = {name: packed(getattr(widget, name)) for name in BYTES}
        state |= {name: getattr(widget, name) for name in ("_columns", "_legend", "colour")}
        script = MODEL.replace("STATE", json.dumps(state | {"height": 400}))
        script = f"const BYTES = {json.dumps(BYTES)};" + script
        style = f"<meta charset=utf-8><style>{widget._css}</style>"
        page = f"{style}<body><script type=module>{widget._esm}{script}</script>"
        path.write_text(page, encoding="utf-8")
        widget.observe(self._tell, ["_codes", "_legend", "_selected"])
        widget.send = self._send
        browser.get(path.as_uri())

    def _tell(self, change):
        value = packed(change["new"]) if change["name"] in BYTES else change["new"]
        self.browser.execute_script("told(arguments[0], arguments[1])", change["name"], value)

    def _send(self, content, buffers=()):
        data = [packed(buffer) for buffer in buffers]
        self.browser.execute_script("message(arguments[0], arguments[1])", content, data)

    def talk(self):
        for said in self.browser.execute_script("return sent.splice(0)"):
            if "set" in said:
                setattr(self.widget, said["set"], said["value"])
            else:
                self.widget._receive(
                    self.widget, said["content"], list(map(bytes, said["buffers"]))
                )

    def until(self, script):
        """Talk until a script gives something that holds."""
        for _ in range(100):
            self.talk()
            if found := self.browser.execute_script(script):
                return found
            time.sleep(0.05)
        raise AssertionError(script)

    def point(self, place):
        """Pixels of a point of the 6 × 5 grid, from the middle of the plot."""
        box = self.browser.execute_script(
            "const b = document.querySelector('.plot').getBoundingClientRect();"
            "return [b.width, b.height]"
        )
        xy = np.frombuffer(self.widget._xy, "<f4").reshape(-1, 2)
        span = np.ptp(xy, axis=0)
        # As scatter.js fits the points into the plot: 92 % of the tighter side.
        scale = min(box[0] / span[0], box[1] / span[1]) * 0.92
        dx, dy = (xy[place] - (xy.min(axis=0) + span / 2)) * scale
        return round(dx), round(-dy)


@pytest.fixture(scope="module")
def browser():
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROME
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("b")
    imagery = write_chips(root / "chips", chips=10)
    (imagery / "class1").rename(imagery / "<b>class1<")
    return featbank.embed("imagestats", imagery, bank=root / "bank", workers=0)


@pytest.fixture
def page(browser, store, tmp_path):
    page = Page(browser, featbank.scatter(make_map(store), store), tmp_path / "page.html")
    yield page
    troubles = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert troubles == []


def hands(page):
    from selenium.webdriver import ActionChains

    return ActionChains(page.browser, duration=20)


def plot(page):
    return page.browser.find_element("css selector", ".plot")


def test_hovering_shows_the_chip_of_the_sample(page, store):
    place = 3
    hands(page).move_to_element_with_offset(plot(page), *page.point(place)).perform()
    lines = page.until(
        "const chip = document.querySelector('.chip'), image = chip.querySelector('img');"
        "return !chip.hidden && image?.complete && [image.naturalWidth, chip.innerText]"
    )
    assert lines[0] == 24
    assert lines[1].split("\n")[0] == store.ids[place]


def test_a_lasso_gives_sample_ids_to_python(page, store):
    page.browser.find_element("css selector", "button.lasso").click()
    (x, y), step = page.point(7), 30
    pen = hands(page).move_to_element_with_offset(plot(page), x - step, y - step).click_and_hold()
    for dx, dy in ((2, 0), (0, 2), (-2, 0), (0, -2)):
        pen = pen.move_by_offset(dx * step, dy * step)
    pen.release().perform()
    page.until("return document.querySelector('.count').textContent === '1 selected'")
    assert page.widget.selection == (store.ids[7],)


def test_a_selection_from_python_is_shown_and_can_be_cleared(page, store):
    page.widget.selection = store.ids[:4]
    page.until("return document.querySelector('.count').textContent === '4 selected'")
    page.browser.find_element("css selector", "button.clear").click()
    page.until("return document.querySelector('.count').textContent === ''")
    assert page.widget.selection == ()


def test_another_column_is_chosen_in_the_page(page):
    page.until(
        "const s = document.querySelector('select'); s.value = 'split_random-0';"
        "s.dispatchEvent(new Event('change')); return true"
    )
    names = page.until(
        "const n = [...document.querySelectorAll('.legend span')].map((e) => e.textContent);"
        "return n.includes('train') && n"
    )
    assert names == [each["name"] for each in page.widget._legend]
    assert page.widget.colour == "split_random-0"


def test_a_class_name_is_text_in_the_legend_and_beside_the_chip(page, store):
    place = int(np.flatnonzero(store.column("label_class") == "<b>class1<")[0])
    hands(page).move_to_element_with_offset(plot(page), *page.point(place)).perform()
    page.until("return document.querySelector('.chip').innerText.includes('<b>class1<')")
    found = "return document.querySelectorAll('.legend b, .chip b').length + 1"
    assert page.until(found) == 1


def test_a_view_that_is_closed_leaves_nothing(page):
    page.browser.execute_script("window.tidy()")
    page.widget.selection = page.widget._ids[:2]
    assert page.browser.execute_script("return document.querySelectorAll('canvas').length") == 0
