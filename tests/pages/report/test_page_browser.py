"""The report page in a true browser: what a reader sees, hovers, filters, selects and sorts."""

import time

import numpy as np
import pytest
from browser import BY_SOFTWARE, WITHOUT_WEBGL, chromium, errors_of
from report_bank import BLOCKS, CHIPS, N, bits_of, make_chip_bank, make_map, number_of, places

from featbank.pages.report import write_report
from featbank.stages.report.run import ReportOptions, gather_report

HANDLE = "const m = document.querySelector('#explorer').featbank, s = m.scatter;"
ORIGIN = "const b = document.querySelector('#plot').getBoundingClientRect();"


AFRESH = """
document.querySelector('#clear').click(); s.resetView(); s.setMode('pan');
document.querySelector('#lasso').setAttribute('aria-pressed', false);
const colour = document.querySelector('#colour'); colour.value = m.data.first;
colour.dispatchEvent(new Event('change'));
document.documentElement.removeAttribute('data-theme');
document.querySelector('#plot [role=application]').dispatchEvent(
  new KeyboardEvent('keydown', {key: 'Escape', cancelable: true}))"""


class Reader:
    """A person in front of the page."""

    def __init__(self, browser, path):
        self.browser = browser
        if browser.current_url != path.as_uri():
            browser.get(path.as_uri())
        self.wait("return Boolean(document.querySelector('#explorer').dataset.ready)")
        browser.execute_script(
            "document.documentElement.style.scrollBehavior = 'auto';"
            "document.querySelector('#explorer').scrollIntoView()"
        )
        self.run(AFRESH)

    def run(self, script, *values):
        return self.browser.execute_script(HANDLE + script, *values)

    def wait(self, script, *values, seconds=10):
        end = time.monotonic() + seconds
        while not (found := self.browser.execute_script(script, *values)):
            assert time.monotonic() < end, script
            time.sleep(0.02)
        return found

    def at(self, index):
        """Where a point is on the screen, in whole pixels."""
        found = self.run("const p = s.screenOf(arguments[0]); return [p.x, p.y]", index)
        return [round(value) for value in found]

    def hover(self, index):
        self.mouse().move(*self.at(index)).perform()
        self.wait("return document.querySelector('#card').dataset.index === arguments[0]",
                  str(index))  # fmt: skip

    def mouse(self):
        from selenium.webdriver.common.action_chains import ActionChains

        chain = ActionChains(self.browser, duration=0)
        chain.move = lambda x, y: (chain.w3c_actions.pointer_action.move_to_location(x, y), chain)[
            1
        ]
        return chain

    def text(self, selector):
        return self.browser.execute_script(
            "return document.querySelector(arguments[0]).textContent", selector
        )

    def settle(self):
        """Two frames: what was asked for is drawn."""
        self.browser.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        )

    def colour_at(self, index):
        """What the canvas shows at a point's place."""
        self.settle()
        return self.run(
            """const c = document.querySelector('#plot canvas'), b = c.getBoundingClientRect();
            const p = s.screenOf(arguments[0]), copy = document.createElement('canvas');
            [copy.width, copy.height] = [c.width, c.height];
            const pen = copy.getContext('2d'), r = c.width / b.width;
            pen.drawImage(c, 0, 0);
            return [...pen.getImageData(Math.round((p.x - b.left) * r),
                                        Math.round((p.y - b.top) * r), 1, 1).data]""",
            index,
        )

    def choose(self, selector, text):
        self.browser.execute_script(
            """const select = document.querySelector(arguments[0]);
            select.value = [...select.options].find((o) => o.text === arguments[1]).value;
            select.dispatchEvent(new Event('change'))""",
            selector,
            text,
        )

    def theme(self, name):
        self.browser.execute_script("document.documentElement.dataset.theme = arguments[0]", name)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return make_chip_bank(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def page(bank):
    return write_report(gather_report(ReportOptions(bank=bank), make_map=make_map)).path


@pytest.fixture(scope="module")
def browser():
    with chromium(*BY_SOFTWARE) as found:
        yield found


@pytest.fixture
def reader(browser, page):
    return Reader(browser, page)


@pytest.fixture(scope="module", autouse=True)
def console(browser):
    """No test of this page leaves an error behind."""
    yield
    # The test of the policy asks for this one.
    assert [error for error in errors_of(browser) if "data:text/plain" not in error] == []


def class_of(reader, index):
    return reader.run("return m.data.ids[arguments[0]].split('/')[0]", index)


def test_the_console_tells_no_error_and_nothing_is_fetched(reader):
    reader.hover(7)
    reader.wait("return document.querySelector('#card').dataset.drawn === '7'")
    fetched = reader.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert (errors_of(reader.browser), fetched) == ([], [])


def test_the_policy_lets_nothing_be_fetched(reader):
    outcome = reader.browser.execute_async_script(
        "const done = arguments[0]; fetch('data:text/plain,x').then(() => done('came'),"
        "() => done('refused'))"
    )
    assert outcome == "refused"


def test_webgl_draws_where_it_is(reader):
    assert reader.run("return s.renderer") == "webgl"


@pytest.mark.parametrize("index", [0, 19, 33, 58])
def test_hovering_shows_the_chip_of_the_point(reader, index):
    reader.hover(index)
    sample = reader.run("return m.data.ids[arguments[0]]", index)
    assert reader.text("#card-id") == sample
    reader.wait("return document.querySelector('#card').dataset.drawn === arguments[0]", str(index))
    blocks = reader.run(
        """const c = document.querySelector('#thumbnail'), n = arguments[0];
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, step = c.width / n;
        const at = (r, k) => d[4 * (Math.floor((r + .5) * step) * c.width
                                    + Math.floor((k + .5) * step))];
        return Array.from({length: n * n}, (_, i) => at(Math.floor(i / n), i % n) > 127 ? 1 : 0)""",
        BLOCKS,
    )
    assert blocks == bits_of(number_of(sample))


def test_the_card_tells_labels_split_and_prediction(reader):
    scored = reader.run("return [...m.data.arrays.split].indexOf(2)")
    reader.hover(scored)
    told = reader.text("#card-facts")
    assert f"Labels{class_of(reader, scored)}" in told
    assert "Predicted (" in told
    assert "Splittest" in told


def test_points_stand_as_the_map_says(reader):
    seen = np.array([reader.at(index) for index in range(N)], dtype=float)
    x, y = places(N).T
    assert np.corrcoef(seen[:, 0], x)[0, 1] > 0.9999
    assert np.corrcoef(seen[:, 1], y)[0, 1] < -0.9999


def test_every_point_is_found_where_it_stands(reader):
    found = reader.run(
        """return Array.from({length: m.data.n}, (_, i) => {
        const p = s.screenOf(i); return s.pointAt(p.x, p.y)})"""
    )
    assert found == list(range(N))


def legend_colours(reader):
    return dict(
        reader.browser.execute_script(
            """return [...document.querySelectorAll('#legend button')].map((b) =>
            [b.children[1].textContent, b.children[0].style.background])"""
        )
    )


def near(pixel, css):
    wanted = [int(part) for part in css.removeprefix("rgb(").rstrip(")").split(",")]
    # Points let a little of the paper through.
    return all(abs(a - b) <= 45 for a, b in zip(pixel[:3], wanted, strict=True))


@pytest.mark.parametrize("index", [2, 25, 47])
def test_a_point_has_the_colour_of_its_class(reader, index):
    colours = legend_colours(reader)
    assert near(reader.colour_at(index), colours[class_of(reader, index)])


def test_filtering_by_class_leaves_its_points_and_their_colours(reader):
    reader.choose("#filter-labels", "class1")
    assert reader.text("#shown") == f"{CHIPS} of {N} points shown"
    shown = reader.run("return [...m.visible].flatMap((v, i) => v ? [m.data.ids[i]] : [])")
    assert {sample.split("/")[0] for sample in shown} == {"class1"}
    assert reader.colour_at(2)[3] == 0
    assert near(reader.colour_at(25), legend_colours(reader)["class1"])


def test_hidden_points_are_not_hovered(reader):
    reader.choose("#filter-labels", "class1")
    assert reader.run("const p = s.screenOf(2); return s.pointAt(p.x, p.y)") == -1


def test_the_legend_filters_and_the_menu_says_so(reader):
    reader.browser.execute_script("document.querySelectorAll('#legend button')[2].click()")
    assert reader.text("#shown") == f"{CHIPS} of {N} points shown"
    assert reader.run("return document.querySelector('#filter-labels').value") == "labels|2"
    reader.browser.execute_script("document.querySelector('#clear').click()")
    assert reader.text("#shown") == f"{N} of {N} points shown"


def test_split_and_class_filter_together(reader):
    reader.choose("#filter-split", "test")
    reader.choose("#filter-labels", "class0")
    wanted = reader.run(
        """const names = m.data.columns.find((c) => c.key === 'split').values;
        return m.data.ids.filter((id, i) => id.startsWith('class0')
          && names[m.data.arrays.split[i]] === 'test').length"""
    )
    assert reader.text("#shown") == f"{wanted} of {N} points shown"


def test_ids_are_searched(reader):
    reader.browser.execute_script(
        """const box = document.querySelector('#search');
        box.value = 'CLASS2/1'; box.dispatchEvent(new Event('input'))"""
    )
    reader.wait("return document.querySelector('#shown').textContent.startsWith('10 of')")


def test_colouring_by_split_colours_by_split(reader):
    reader.choose(
        "#colour", reader.run("return m.data.columns.find((c) => c.key === 'split').title")
    )
    split = reader.run(
        "return m.data.columns.find((c) => c.key === 'split').values[m.data.arrays.split[11]]"
    )
    assert near(reader.colour_at(11), legend_colours(reader)[split])


def test_a_lasso_lists_the_samples_inside(reader):
    inside = [12, 13, 22, 23]
    spots = [reader.at(index) for index in inside]
    left, right = min(x for x, _ in spots) - 14, max(x for x, _ in spots) + 14
    top, bottom = min(y for _, y in spots) - 14, max(y for _, y in spots) + 14
    reader.browser.execute_script("document.querySelector('#lasso').click()")
    chain = reader.mouse().move(left, top)
    chain.w3c_actions.pointer_action.pointer_down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 3)):
        chain.w3c_actions.pointer_action.move_to_location(x, y)
    chain.w3c_actions.pointer_action.pointer_up()
    chain.perform()
    listed = reader.run("return document.querySelector('#ids').value").split("\n")
    assert listed == reader.run("return arguments[0].map((i) => m.data.ids[i])", inside)
    assert reader.text("#selected") == "4 samples selected"


def test_the_keyboard_pans_selects_and_returns(reader):
    from selenium.webdriver.common.keys import Keys

    before = reader.at(30)
    plot = reader.browser.find_element("css selector", "#plot [role=application]")
    plot.send_keys(Keys.ARROW_RIGHT)
    assert reader.at(30)[0] < before[0]
    plot.send_keys("0")
    assert reader.at(30) == before
    plot.send_keys(Keys.ENTER)
    assert reader.text("#selected") == f"{N} samples selected"
    plot.send_keys(Keys.ESCAPE)
    assert reader.run("return document.querySelector('#ids').hidden")


def test_the_wheel_zooms_at_the_pointer(reader):
    still, other = reader.at(33), reader.at(36)
    reader.run(
        """const c = document.querySelector('#plot [role=application]');
        c.dispatchEvent(new WheelEvent('wheel', {deltaY: -200, clientX: arguments[0],
          clientY: arguments[1], cancelable: true}))""",
        *still,
    )
    after, moved = reader.at(33), reader.at(36)
    assert abs(after[0] - still[0]) <= 1
    assert moved[0] - after[0] > 1.3 * (other[0] - still[0])


def column(reader, place):
    return reader.browser.execute_script(
        """return [...document.querySelector('table.data').tBodies[0].rows].map((r) =>
        r.cells[arguments[0]].dataset.value ?? r.cells[arguments[0]].textContent.trim())""",
        place,
    )


def test_tables_sort_by_click_and_by_key(reader):
    from selenium.webdriver.common.keys import Keys

    heads = reader.browser.find_elements("css selector", "table.data:first-of-type thead button")
    place = 3
    heads[place].click()
    descending = [float(value) for value in column(reader, place)]
    heads[place].send_keys(Keys.ENTER)
    ascending = [float(value) for value in column(reader, place)]
    assert (descending, ascending) == (sorted(descending)[::-1], sorted(ascending))
    said = reader.browser.execute_script(
        "return document.querySelectorAll('table.data thead th')[3].getAttribute('aria-sort')"
    )
    assert said == "ascending"


def paper(reader):
    return reader.browser.execute_script("return getComputedStyle(document.body).backgroundColor")


def test_dark_follows_the_system_and_the_button(reader):
    def prefer(name):
        feature = {"features": [{"name": "prefers-color-scheme", "value": name}]}
        reader.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)

    prefer("dark")
    dark = paper(reader)
    plot = "return getComputedStyle(document.querySelector('#plot')).backgroundColor"
    reader.wait(f"{plot} === arguments[0]", dark)
    reader.theme("light")
    assert paper(reader) == "rgb(255, 255, 255)" != dark
    prefer("light")
    reader.theme("dark")
    assert paper(reader) == dark


def test_print_leaves_the_controls_out(reader):
    reader.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = reader.browser.execute_script(
        """return ['.toc', '.map', '.on-paper'].map((name) =>
        getComputedStyle(document.querySelector(name)).display)"""
    )
    reader.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == ["none", "none", "block"]


def test_a_phone_shows_all_without_scrolling_sideways(reader):
    reader.browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 800, "deviceScaleFactor": 2, "mobile": True},
    )
    widths = reader.browser.execute_script(
        "return [document.documentElement.scrollWidth, innerWidth]"
    )
    reader.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert widths == [360, 360]


def test_nothing_jumps_while_the_page_loads(browser, page):
    browser.get("about:blank")
    reader = Reader(browser, page)
    shift = reader.browser.execute_async_script(
        """const done = arguments[0]; let sum = 0;
        new PerformanceObserver((list) => { for (const e of list.getEntries()) sum += e.value })
          .observe({type: 'layout-shift', buffered: true});
        setTimeout(() => done(sum), 150)"""
    )
    assert shift < 0.02


def test_every_id_is_unique(reader):
    twice = reader.browser.execute_script(
        """const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
        return ids.filter((id, i) => ids.indexOf(id) !== i)"""
    )
    assert twice == []


def test_without_webgl_the_map_is_drawn_on_a_canvas(page):
    with chromium(*WITHOUT_WEBGL) as browser:
        reader = Reader(browser, page)
        assert reader.run("return s.renderer") == "canvas"
        assert near(reader.colour_at(25), legend_colours(reader)["class1"])
        reader.hover(33)
        assert reader.text("#card-id") == reader.run("return m.data.ids[33]")
        assert errors_of(browser) == []
