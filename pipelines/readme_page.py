"""The picture of a report page in the README: the map of a page, one chip under the pointer.

Run it on the page that ``make demo`` names:

    python pipelines/readme_page.py demo-bank/reports/synthetic-s2.html
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import click
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "report-map.png"
FLAGS = (
    *("--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1240,1000"),
    # WebGL by software, so that any machine draws the same.
    *("--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
)
READY = "return Boolean(document.querySelector('#explorer')?.dataset.ready)"
SHOW = "document.documentElement.style.scrollBehavior = 'auto'; arguments[0].scrollIntoView()"
# A point with a picture, in the left half, where the card does not hide the legend.
POINT = """const s = document.querySelector('#explorer').featbank.scatter;
const b = document.querySelector('#plot').getBoundingClientRect();
for (let i = 0; i < 2000; i++) { const p = s.screenOf(i);
  if (p.x > b.left + b.width * .2 && p.x < b.left + b.width * .4 && p.y > b.top + b.height * .4
      && p.y < b.top + b.height * .6) return [Math.round(p.x), Math.round(p.y)]; }"""


@click.command()
@click.argument("page", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(page: Path) -> None:
    """Open the page, hover a point, keep what is seen."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in FLAGS:
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        browser.get(page.resolve().as_uri())
        WebDriverWait(browser, 60).until(lambda found: found.execute_script(READY))
        browser.execute_script(SHOW, browser.find_element("id", "map"))
        pointer = ActionChains(browser)
        pointer.w3c_actions.pointer_action.move_to_location(*browser.execute_script(POINT))
        pointer.perform()
        WebDriverWait(browser, 10).until(lambda found: found.find_element("id", "card-id").text)
        seen = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    finally:
        browser.quit()
    # Half the bytes, and no colour that an eye would miss.
    seen.quantize(256).save(PICTURE, optimize=True)
    print(f"{PICTURE}: written.")


if __name__ == "__main__":
    main()
