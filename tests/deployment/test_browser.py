"""The page of the guide, run in a browser without a screen: its code, an exported graph, rows."""

import functools
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, StudentNet
from skdistill.deployment import to_onnx
from skdistill.students import TablePreprocessor

WEB = "SKDISTILL_ONNXRUNTIME_WEB"
"""The variable that names the folder of onnxruntime-web; CONTRIBUTING says how to get it."""

GUIDE = Path(__file__).parents[2] / "docs" / "user_guide" / "onnx_and_bundle.rst"

PAGE = """\
<script type="importmap">
{"imports": {"onnxruntime-web": "/web/dist/ort.wasm.bundle.min.mjs"}}
</script>
<script type="module">
window.addEventListener("unhandledrejection", (e) => (document.title = "failed: " + e.reason));
window.addEventListener("error", (e) => (document.title = "failed: " + e.message));
IMPORTS
const found = [];
for (const cells of ROWS) {
CODE
  found.push([label.data[0], ...probabilities.data]);
}
document.title = "done: " + JSON.stringify(found);
</script>
"""

BROWSER = """\
import sys
from PySide6.QtCore import QTimer, QUrl
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QApplication

app = QApplication([])
view = QWebEngineView()

def look(title):
    if title.startswith(("done: ", "failed: ")):
        print(title, flush=True)
        app.quit()

view.titleChanged.connect(look)
QTimer.singleShot(100_000, app.quit)
view.load(QUrl(sys.argv[1]))
app.exec()
"""


def page_of_the_guide(rows):
    """The guide's code, asked about each row in place of the one that it shows."""
    block = GUIDE.read_text(encoding="utf-8").split(".. code-block:: javascript\n")[1]
    lines = re.match(r"\n((?:   .*\n|\n)+)", block)[1].splitlines()
    code = [line[3:] for line in lines]
    imports = [line for line in code if line.startswith("import ")]
    rest = "\n".join(line for line in code if not line.startswith("import "))
    shown = 'number(39), work: text("private"), member: number(1)'
    assert rest.count(shown) == 1 and rest.count("await") == 2
    asked = "number(cells[0]), work: text(cells[1]), member: number(cells[2])"
    page = PAGE.replace("IMPORTS", "\n".join(imports)).replace("ROWS", json.dumps(rows))
    return page.replace("CODE", rest.replace(shown, asked))


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *words):
        pass


@pytest.mark.slow  # a browser is started
def test_the_page_of_the_guide_answers_as_the_student(tmp_path):
    pytest.importorskip("PySide6", reason="needs a browser: pip install PySide6")
    pd = pytest.importorskip("pandas")
    pytest.importorskip("onnx")
    web = os.environ.get(WEB)
    if web is None:
        pytest.skip(f"needs onnxruntime-web: {WEB} names its folder, see CONTRIBUTING")
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "age": rng.integers(18, 90, 60).astype(float),
            "work": rng.choice(["private", "public", None], 60),
            "member": rng.choice([True, False], 60),
        }
    )
    X.loc[::7, "age"] = np.nan
    y = np.where((X["age"] > 50) ^ (X["work"] == "public"), "yes", "no")
    net = StudentNet(max_epochs=3, batch_size=16, module__hidden_units=(16,))
    student = make_pipeline(TablePreprocessor(), net)
    model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, y)
    to_onnx(model, tmp_path / "student.onnx", X=X)
    rows = [
        [None if pd.isna(age) else age, None if pd.isna(work) else work, int(member)]
        for age, work, member in X.itertuples(index=False)
    ]
    rows[0][1], X.loc[0, "work"] = "never seen", "never seen"
    (tmp_path / "index.html").write_text(page_of_the_guide(rows), encoding="utf-8")
    (tmp_path / "web").symlink_to(Path(web).resolve(), target_is_directory=True)
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/index.html"
        without_a_screen = {
            "QT_QPA_PLATFORM": "offscreen",
            "QTWEBENGINE_CHROMIUM_FLAGS": "--no-sandbox --disable-gpu",
        }
        seen = subprocess.run(
            [sys.executable, "-c", BROWSER, address],
            env=os.environ | without_a_screen,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        server.shutdown()
    assert "done: " in seen.stdout, seen.stdout + seen.stderr
    labels, *columns = zip(*json.loads(seen.stdout.partition("done: ")[2]), strict=True)
    assert list(labels) == model.predict(X).tolist()
    np.testing.assert_allclose(np.transpose(columns), model.predict_proba(X), atol=5e-5)
