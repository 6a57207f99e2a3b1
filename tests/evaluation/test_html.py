"""The page of a report: whole, safe, and alone in the world."""

import base64
import json
import pickle
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from importlib.metadata import version
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.evaluation import (
    ReliabilityDisplay,
    ReportDisplay,
    agreement_by_class,
    distillation_report,
)

#: Labels and groups that are markup, a formula and an entity unless they are escaped.
MARKUP, FORMULA, GROUP = "<b>&", "$a$", "<script>alert('g')</script>"

VOID = {"meta", "img"}


class Page(HTMLParser):
    """Checks that all tags are closed in order, and keeps texts, attributes and table rows."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.open, self.texts, self.attributes, self.lines, self.tags = [], [], [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.lines.append([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
        if "td" in self.open or "th" in self.open:
            self.lines[-1].append(data.strip().rstrip("*"))

    @property
    def images(self):
        return [value for tag, name, value in self.attributes if (tag, name) == ("img", "src")]


@pytest.fixture(scope="module")
def report():
    X, y = make_classification(300, 6, flip_y=0.1, random_state=0)
    y = np.array([MARKUP, FORMULA])[y]
    student = make_pipeline(
        StandardScaler(),
        StudentNet(module__hidden_units=(8,), max_epochs=3, batch_size=32, lr=0.01),
    )
    model = DistilledClassifier(RandomForestClassifier(10), student, alpha=0.25, random_state=0)
    groups = [GROUP, None] * 50
    return distillation_report(model, X[:200], y[:200], X[200:], y[200:], groups=groups, n_seeds=2)


@pytest.fixture(scope="module")
def source(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    assert report.to_html(path) is None
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def test_the_page_loads_nothing(source, page):
    assert not re.search(r"https?://", source, flags=re.I)
    loading = {"src", "href", "srcset", "action", "data", "poster"}
    for _, name, value in page.attributes:
        assert name not in loading or value.startswith("data:image/svg+xml;base64,")
    assert not {"link", "iframe", "object", "form"} & set(page.tags)
    assert page.tags.count("script") == 1  # which sorts the tables
    script = source.partition("<script>")[2].partition("</script>")[0]
    assert not re.search(r"fetch|import|XMLHttp|innerHTML|eval", script)
    assert "@import" not in source and "url(" not in source


@pytest.mark.skipif(shutil.which("node") is None, reason="runs the page's script by node")
def test_a_click_on_a_head_sorts_its_table(source, tmp_path):
    script = source.partition("<script>")[2].partition("</script>")[0]
    lines = [["b", "18k "], ["a", "-"], ["c", "1.47M "], ["d", "+0.009 [+0.001]"], ["e", "900 "]]
    page = tmp_path / "page.js"
    page.write_text(
        f"""const cell = text => ({{textContent: text}});
const rows = {json.dumps(lines)}.map(line => ({{cells: line.map(cell)}}));
const body = {{rows, append: (...sorted) => {{ body.rows = sorted; }}}};
const heads = [0, 1].map(i => ({{cellIndex: i, closest: () => ({{tBodies: [body]}})}}));
heads.forEach(head => {{ head.parentNode = {{cells: heads}}; }});
globalThis.document = {{querySelectorAll: () => heads}};
{script}
const names = () => console.log(body.rows.map(row => row.cells[0].textContent).join(""));
heads[1].onclick(); names(); heads[1].onclick(); names(); heads[0].onclick(); names();
""",
        encoding="utf-8",
    )
    done = subprocess.run(["node", page], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["debca", "cbeda", "abcde"]


def test_the_page_begins_with_the_headline(source, report):
    body = source.partition("<body>")[2]
    assert body.index(report.headline.split(":")[0]) < body.index("<table")
    assert (
        report.headline in " ".join(repr(report).split())
        and report.headline in report._repr_html_()
    )


def test_the_pictures_are_whole_and_without_links(page):
    assert len(page.images) == 3
    for uri in page.images:
        svg = base64.b64decode(uri.partition(",")[2], validate=True).decode("utf-8")
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        for element in root.iter():
            for name, value in element.attrib.items():
                assert not name.endswith("href") or value.startswith("#")


def test_the_page_shows_all_arms_and_numbers(page, report):
    for row in report.rows:
        lines = [line for line in page.lines if line[0] == row["arm"]]
        quality, cost = (" ".join(line) for line in lines)
        for key in ("accuracy", "log_loss", "brier", "ece", "roc_auc", "agreement", "kl"):
            assert f"{row[key]:.3f}" in quality
        assert f"{row['us_single_row']:.0f}"[:2] in cost
    for entry in report.intervals:
        (line,) = [line for line in page.lines if line[0] == entry["comparison"]]
        assert any(
            f"{entry['difference']:+.3f} [{entry['low']:+.3f}, {entry['high']:+.3f}]" == cell
            for cell in line
        )
    text = "".join(page.texts)
    for sentence in report.verdict.splitlines():
        assert sentence in text


def test_the_page_shows_classes_and_groups(page, report):
    p = report.probabilities
    y = report.classes[report.y_index]
    found = agreement_by_class(y, p["teacher"], p["distilled"], labels=report.classes)
    for row in found:
        lines = [line for line in page.lines if line[0] == row["class"]]
        agreement, precision, recall, f1 = lines
        assert agreement[1:3] == [str(row["n"]), f"{row['agreement']:.4f}"]
        own = [entry for entry in report.per_class if entry["class"] == row["class"]]
        for line, key in ((precision, "precision"), (recall, "recall"), (f1, "f1")):
            assert line[1] == str(row["n"])
            assert line[2:] == [f"{entry[key]:.4f}" for entry in own]
    for row in report.agreement_by_group:
        (line,) = [line for line in page.lines if line[0] == str(row["group"])]
        assert line[1:3] == [str(row["n"]), f"{row['agreement']:.4f}"]


def test_labels_and_groups_are_text(source, page):
    assert MARKUP in "".join(page.texts) and "&lt;b&gt;&amp;" in source
    assert GROUP in "".join(page.texts)
    assert "b" not in page.tags and page.tags.count("script") == 1


def test_the_settings_are_those_of_the_model(page, report):
    model = report.settings["model"]
    assert (
        model["alpha"] == "0.25" and model["teacher"] == "RandomForestClassifier(n_estimators=10)"
    )
    assert "StudentNet" in model["student"]
    assert report.settings["data"]["training rows"] == 200
    assert report.settings["data"]["test rows"] == 100
    assert report.settings["data"]["model came fitted"] is False
    assert report.settings["versions"]["scikit-learn"] == version("scikit-learn")
    assert report.settings["versions"]["python"] == sys.version.split()[0]
    for entries in report.settings.values():
        for name, value in entries.items():
            assert name in page.texts and str(value) in page.texts


def test_a_very_long_parameter_is_cut():
    X, y = make_classification(120, random_state=0)
    labels = np.arange(2)

    class Talkative:
        def __repr__(self):
            return "x" * 100_000

        def __call__(self, X):
            return np.full((len(X), 2), 0.5)

    student = StudentNet(module__hidden_units=(4,), max_epochs=1)
    model = DistilledClassifier(Talkative(), student, teacher_classes=labels, random_state=0)
    own = distillation_report(model, X[:80], y[:80], X[80:], y[80:])
    assert len(own.settings["model"]["teacher"]) < 3000
    assert own.settings["model"]["teacher"].endswith("(100000 characters)")


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_page_is_written_again_the_same(report, source, tmp_path, kind):
    path = tmp_path / "page ü.html"
    path.write_text("old", encoding="utf-8")
    report.to_html(kind(path))
    assert path.read_text(encoding="utf-8") == source


def test_a_report_from_a_pickle_writes_the_same_page(report, source, tmp_path):
    pickle.loads(pickle.dumps(report)).to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == source


def test_the_page_of_several_test_sets_holds_all_reports_and_the_costs_once(tmp_path):
    X, y = make_classification(300, 6, flip_y=0.1, random_state=0)
    student = StudentNet(module__hidden_units=(8,), max_epochs=2, batch_size=32)
    model = DistilledClassifier(RandomForestClassifier(5), student, random_state=0)
    sets = {MARKUP: X[200:240], "late": X[240:]}, {MARKUP: y[200:240], "late": y[240:]}
    reports = distillation_report(model, X[:200], y[:200], *sets)
    assert reports.to_html(tmp_path / "page.html") is None
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert len(page.images) == 2 * 3
    assert [tag for tag in page.tags if tag in {"b", "script", "link"}] == ["script"]
    for name, report in reports.items():
        accuracies, losses = (line for line in page.lines if line[0] == name)
        for key, line in (("accuracy", accuracies), ("log_loss", losses)):
            assert line[1:] == [str(len(report.y_index)), *(f"{r[key]:.4f}" for r in report.rows)]
        for sentence in report.verdict.splitlines():
            assert sentence in "".join(page.texts)
    heads = [text for text in page.texts if text in ("Quality", "Cost", "Settings", "test rows")]
    assert heads == ["Quality", "Cost", "Quality", "Settings"]
    with pytest.raises(FileNotFoundError, match="Make it first"):
        reports.to_html(tmp_path / "missing" / "page.html")


def test_the_page_of_numbers_has_their_scores_and_no_classes(tmp_path):
    X, y = make_regression(300, 6, noise=20.0, random_state=0)
    student = StudentNetRegressor(module__hidden_units=(8,), max_epochs=2, batch_size=32)
    model = DistilledRegressor(RandomForestRegressor(5), student, random_state=0)
    sets = {"a": X[200:240], "b": X[240:]}, {"a": y[200:240], "b": y[240:]}
    reports = distillation_report(model, X[:200], y[:200], *sets)
    reports.to_html(tmp_path / "several.html")
    page = Page((tmp_path / "several.html").read_text(encoding="utf-8"))
    assert len(page.images) == 2
    for name, report in reports.items():
        scores, errors = (line for line in page.lines if line[0] == name)
        for key, line in (("r2", scores), ("rmse", errors)):
            assert line[2:] == [f"{row[key]:.4f}" for row in report.rows]
        assert line[1] == str(report.settings["data"]["test rows"])
    heads = [text for text in page.texts if text in ("Quality", "Classes", "Calibration")]
    assert heads == ["Quality", "Quality"]
    with pytest.raises(TypeError, match=r"a report on numbers\. ReportDisplay draws"):
        ReliabilityDisplay.from_report(reports["a"])
    display = ReportDisplay(reports["a"])
    assert display.plot().ax_.get_xlabel() == "R² (share of the variance)"
    assert set(display.frame().dropna()["metric"]) == {"r2", "mse", "mae"}
    pyplot.close("all")


def test_a_missing_folder_is_refused(report, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*missing'. Make it first"):
        report.to_html(tmp_path / "missing" / "report.html")
    with pytest.raises(IsADirectoryError, match=r"is a folder.*report\.html"):
        report.to_html(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_user_s_figures_and_style_are_left_alone(report, source, tmp_path):
    with pyplot.rc_context({"axes.facecolor": "black", "text.color": "white"}):
        figure = pyplot.figure()
        before = pyplot.get_fignums()
        report.to_html(tmp_path / "page.html")
        assert pyplot.get_fignums() == before
        assert pyplot.gcf() is figure
        assert pyplot.rcParams["axes.facecolor"] == "black"
    pyplot.close(figure)
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == source


def test_without_matplotlib_the_page_has_all_but_the_pictures(report, page, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    report.to_html(tmp_path / "page.html")
    bare = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert bare.images == [] and bare.lines == page.lines
    assert 'pip install "skdistill[plot]"' in "".join(bare.texts)
    assert 'pip install "skdistill[plot]"' not in "".join(page.texts)
