"""Files that are damaged, made by hand or by strangers: each is refused, and says why."""

import hashlib
import json
import struct

import numpy as np
import pytest
from safetensors.numpy import save_file
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from skops import io as skops_io

from skdistill import DistilledClassifier, StudentNet
from skdistill.__main__ import main
from skdistill.deployment import inspect, load, quantize, save
from skdistill.exceptions import StudentError
from skdistill.students import MLP, TablePreprocessor, truncate

X, y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """The bytes of files that are as they should be."""
    folder, found = tmp_path_factory.mktemp("honest"), {}
    net = StudentNet(MLP, module__hidden_units=(3,), max_epochs=1)
    tree = DecisionTreeClassifier(max_depth=2)
    cut = StudentNet(truncate(MLP(4, 3, hidden_units=(3, 3)), "1"), max_epochs=1)
    wide = StudentNet(MLP, module__hidden_units=(64, 9), max_epochs=1)
    for name, student in {"net": net, "tree": tree, "cut": cut, "int8": wide}.items():
        model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, y)
        model = quantize(model) if name == "int8" else model
        found[name] = save(model, folder / f"{name}.safetensors").read_bytes()
    return found


def parts(content):
    """Return the header of a file as a dict, and what follows it."""
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def joined(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def with_entry(**changes):
    """Return what changes the header's entry of a tensor."""

    def change(content):
        header, data = parts(content)
        header["module.0.bias"] |= changes
        return joined(header, data)

    return change


def with_description(change):
    """Return what changes the description, and makes the digest that of the changed file."""

    def changed(content):
        header, data = parts(content)
        metadata = header.pop("__metadata__")
        description = json.loads(metadata["skdistill"])
        description = change(description) or description
        text = json.dumps(description)
        digest = hashlib.sha256(text.encode())
        digest.update(json.dumps(header, sort_keys=True).encode())
        digest.update(data)
        metadata = {"skdistill": text, "sha256": digest.hexdigest()}
        return joined({"__metadata__": metadata, **header}, data)

    return changed


def setting(*path, value):
    """Return a change of one value of the description, where the path leads."""

    def change(description):
        place = description
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return with_description(change)


def with_shape(name, shape):
    """Return what changes the shape of a tensor, and makes the digest that of the changed file."""

    def change(content):
        header, data = parts(content)
        header[name] |= {"shape": shape}
        return with_description(lambda description: None)(joined(header, data))

    return change


def twice(content):
    header, data = parts(content)
    text = json.dumps(header)
    return joined((text[:-1] + ', "golden": ' + json.dumps(header["golden"]) + "}").encode(), data)


def flipped(content):
    return content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]


def other_metadata(metadata):
    def change(content):
        header, data = parts(content)
        return joined(header | {"__metadata__": metadata}, data)

    return change


NET = ("student",)
STEPS = ("student", "module", "parts", "body", "graph", "steps")
LAYER = ("student", "module", "parts", "0")
HEADERS = {
    "nothing": (lambda c: b"", "has 0 bytes; expected a whole file"),
    "seven bytes": (lambda c: c[:7], "has 7 bytes; expected a whole file"),
    "a header cut off": (lambda c: c[:100], "header is said to have .* bytes.*Copy it again"),
    "a huge header": (
        lambda c: struct.pack("<Q", 2**63) + c[8:], "said to have 9223372036854775808 bytes"
    ),
    "tensors cut off": (lambda c: c[:-1], "bytes, and .* follow its header; expected the same"),
    "bytes at the end": (lambda c: c + b"x", "bytes, and .* follow its header; expected the same"),
    "no JSON": (lambda c: joined(b"{" + b"x" * 40, b""), "header is damaged .*expected JSON"),
    "no UTF-8": (lambda c: joined(b'{"\xff": 1}', b""), "header is damaged"),
    "a list": (lambda c: joined(b"[]", b""), "header is a list; expected a JSON object"),
    "deep JSON": (lambda c: joined(b'{"a":' + b"[" * 200_000, b""), "header is damaged"),
    "a long number": (lambda c: joined(b'{"a":' + b"9" * 9999 + b"}", b""), "header is damaged"),
    "NaN": (lambda c: joined(b'{"a": NaN}', b""), "NaN is no number of JSON"),
    "a key twice": (twice, "the key 'golden' stands twice"),
    "metadata that are no texts": (other_metadata({"a": 1}), "none of safetensors"),
    "no description": (other_metadata({"format": "pt"}), "says of no student.*load_teacher"),
    "another description": (
        other_metadata({"skdistill": "[]", "sha256": ""}), "description is a list; expected a JSON"
    ),
    "an entry that is a number": (
        lambda c: joined(parts(c)[0] | {"golden": 3}, parts(c)[1]), "says 3; expected dtype, shape"
    ),
    "an entry with more": (with_entry(more=1), "expected dtype, shape and offsets"),
    "a negative axis": (with_entry(shape=[-3]), "shape .-3.; expected up to 16 counts"),
    "an axis that is true": (with_entry(shape=[True]), "shape .True.; expected up to 16 counts"),
    "a shape of many axes": (with_entry(shape=[1] * 99), "expected up to 16 counts"),
    "another size": (with_entry(shape=[10**12]), "bytes; expected 4000000000000"),
    "an unknown dtype": (with_entry(dtype="F8_E4M3"), "dtype 'F8_E4M3'; expected one of"),
    "a dtype that is a list": (with_entry(dtype=[]), "dtype .*; expected one of"),
    "another dtype": (with_entry(dtype="F64"), "has 12 bytes; expected 24"),
    "offsets backwards": (with_entry(data_offsets=[12, 0]), "has -12 bytes; expected 12"),
    "one offset": (with_entry(data_offsets=[0]), "expected two counts"),
    "an overlap": (with_entry(data_offsets=[0, 12]), "begins at byte .*; expected .*ends"),
    "offsets beyond the file": (
        with_entry(data_offsets=[10**9, 10**9 + 12]), "begins at byte .*; expected .*ends"
    ),
    "a newer format": (
        setting("format", value=3), "format is 3, of a newer skdistill .*pip install --upgrade"
    ),
    "format 0": (setting("format", value=0), "format is '0'; expected a number"),
    "no format": (setting("format", value=None), "format is 'None'; expected a number"),
}  # fmt: skip
CONTENTS = {
    "a bit of a weight": ("net", flipped, "SHA-256.*expected the same.*Copy it again"),
    "a digest that is a word": ("net", other_metadata({}), "says of no student"),
    "no student": ("net", setting("student", value=None), "does not hold what a file of save"),
    "no link": ("net", setting(*NET, "link", value={}), "does not hold what a file of save"),
    "a class of elsewhere": (
        "net", setting(*LAYER, "class", value="os.system"), "does not hold.*os.system"
    ),
    "a student of elsewhere": (
        "net", setting(*NET, "class", value="os.system"), "does not hold.*os.system"
    ),
    "other widths": (
        "net", setting(*LAYER, "settings", "in_features", value=5), "weights do not fit its module"
    ),
    "a module of a thousand gigabytes": (
        "net", setting(*LAYER, "settings", "out_features", value=10**11), "weights do not fit"
    ),
    "an optimiser of elsewhere": (
        "net",
        setting(*NET, "settings", "optimizer", value={"optimizer": "Optimizer"}),
        "'optimizer' is no kind of setting",
    ),
    "another activation": (
        "net",
        setting("student", "module", "parts", "1", value={"class": "nn.Tanh", "parts": {}}),
        "answers otherwise here.*expected no more than",
    ),
    "more classes": (
        "net",
        setting(*NET, "link", "classes", value={"dtype": "<i8", "values": [0, 1, 2, 3]}),
        "answers otherwise|does not hold",
    ),
    "labels as wide as the memory": (
        "net",
        setting(*NET, "link", "classes", value={"dtype": "<U999999", "values": ["a"] * 999}),
        "no honest ones",
    ),
    "labels of objects that are pickles": (
        "net",
        setting(*NET, "link", "classes", value={"dtype": "V8", "values": [0, 1, 2]}),
        "no dtype of labels",
    ),
    "no kind": (
        "net",
        with_description(lambda found: {k: v for k, v in found.items() if k != "kind"}),
        "does not hold.*KeyError: 'kind'",
    ),
    "a tensor that is not there": (
        "net", setting("golden", value={"tensor": "x"}), "does not hold.*KeyError"
    ),
    "a function of elsewhere": (
        "cut", setting(*STEPS, 1, "target", value="os.system"), "does not hold|os.system"
    ),
    "a step of no kind": (
        "cut", setting(*STEPS, 1, "op", value="call_function"), "NotPlainError: the step"
    ),
    "a name that is code": (
        "cut",
        setting(*STEPS, 0, "name", value="x):\n    import os\n    return (x"),
        "NotPlainError: the name",
    ),
    "a class name that is code": (
        "cut", setting(*STEPS[:-1], "name", value="A:\n  import os"), "NotPlainError: the name"
    ),
    "a layer whose name is code": (
        "cut", setting(*STEPS, 1, "target", value='0".__class__'), "NotPlainError: the name"
    ),
    "a keyword that is code": (
        "cut", setting(*STEPS, 1, "kwargs", value={"a=1, b": 1}), "NotPlainError: the name"
    ),
    "weights of an unknown precision": (
        "int8", setting(*NET, "compact", "0.weight", value="float31"), "does not hold.*float31"
    ),
    "weights without what they are multiplied by": (
        "int8", setting(*NET, "compact", value={}), "answers otherwise|does not hold"
    ),
    "a scale that would make a thousand times as many weights": (
        "int8", with_shape("scale.0.weight", [64, 1, 1]), "a scale of shape"
    ),
    "bytes that are no skops": (
        "tree", setting(*NET, "content", value={"tensor": "golden"}), "no zip archive"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HEADERS)
@pytest.mark.parametrize("read", [load, inspect])
def test_a_file_with_another_head_is_refused(case, read, honest, tmp_path):
    change, message = HEADERS[case]
    path = tmp_path / "student.safetensors"
    path.write_bytes(change(honest["net"]))
    with pytest.raises(StudentError, match=rf"(?s)student.safetensors cannot be read.*{message}"):
        read(path)


@pytest.mark.parametrize("case", CONTENTS)
def test_a_file_with_another_content_is_refused(case, honest, tmp_path):
    kind, change, message = CONTENTS[case]
    path = tmp_path / "student.safetensors"
    path.write_bytes(change(honest[kind]))
    with pytest.raises(StudentError, match=rf"(?s)student.safetensors cannot be read.*{message}"):
        load(path)


def test_inspect_refuses_what_is_of_another_kind(honest, tmp_path):
    path = tmp_path / "student.safetensors"
    for changed in ({"metadata": "me"}, {"versions": []}, {"kind": 3}, {"student": {}}):
        change = with_description(lambda description, changed=changed: description | changed)
        path.write_bytes(change(honest["net"]))
        with pytest.raises(StudentError, match="does not say what a file of save does"):
            inspect(path)


def test_honest_files_survive_the_changes_that_change_nothing(honest, tmp_path):
    path = tmp_path / "student.safetensors"
    path.write_bytes(with_description(lambda description: None)(honest["net"]))
    assert load(path).predict(X).shape == y.shape


def test_weights_of_others_are_told_apart(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"weight": np.zeros((2, 2))}, path)
    with pytest.raises(StudentError, match=r"says of no student.*load_teacher"):
        load(path)


@pytest.mark.parametrize("share", np.linspace(0, 1, 12, endpoint=False))
def test_a_file_cut_off_anywhere_is_refused(share, honest, tmp_path):
    path = tmp_path / "student.safetensors"
    path.write_bytes(honest["net"][: int(share * len(honest["net"]))])
    with pytest.raises(StudentError):
        load(path)


def lead_astray(tree):
    """Let the first node of a tree lead out of it."""
    state = tree.__getstate__()
    state["nodes"]["left_child"][0] = 10**6
    tree.__setstate__(state)


def read_another_column(tree):
    state = tree.__getstate__()
    state["nodes"]["feature"][0] = 10**6
    tree.__setstate__(state)


def go_in_circles(tree):
    state = tree.__getstate__()
    state["nodes"]["right_child"][0] = 0
    tree.__setstate__(state)


LEADS_ELSEWHERE = {
    "nodes": (DecisionTreeClassifier(), lambda model: lead_astray(model.tree_)),
    "a circle": (DecisionTreeClassifier(), lambda model: go_in_circles(model.tree_)),
    "columns": (DecisionTreeClassifier(), lambda model: read_another_column(model.tree_)),
    "columns of the forest": (
        RandomForestClassifier(2), lambda model: vars(model).update(n_features_in_=1)
    ),
    "columns of a forest whose trees stand elsewhere too": (
        RandomForestClassifier(2),
        lambda model: vars(model).update(n_features_in_=1, others=model.estimators_),
    ),
    "columns of a tree in a forest": (
        RandomForestClassifier(2), lambda model: read_another_column(model.estimators_[1].tree_)
    ),
    "boosted nodes": (
        HistGradientBoostingClassifier(max_iter=1),
        lambda model: model._predictors[0][0].nodes["right"].__setitem__(0, 10**6),
    ),
    "boosted categories": (
        HistGradientBoostingClassifier(max_iter=1),
        lambda model: model._predictors[0][0].nodes["is_categorical"].__setitem__(0, 1),
    ),
    "a dtype of a record": (
        DecisionTreeClassifier(), lambda model: vars(model).update(kind=np.dtype([("a", "f8")]))
    ),
    "a dtype as wide as the memory": (
        DecisionTreeClassifier(), lambda model: vars(model).update(kind=np.dtype("U400000000"))
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LEADS_ELSEWHERE)
def test_an_estimator_that_leads_elsewhere_is_refused(case, honest, tmp_path):
    estimator, change = LEADS_ELSEWHERE[case]
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    fitted = clone(estimator).fit(X, y)
    change(fitted)
    skops = skops_io.dumps([estimator, fitted])
    header, data = parts(honest["tree"])
    start, end = header["golden"]["data_offsets"]
    entries = {
        "golden": header["golden"] | {"data_offsets": [0, end - start]},
        "student.skops": {
            "dtype": "U8",
            "shape": [len(skops)],
            "data_offsets": [end - start, end - start + len(skops)],
        },
    }
    metadata = {"__metadata__": header["__metadata__"], **entries}
    content = joined(metadata, data[start:end] + skops)
    path = tmp_path / "student.safetensors"
    path.write_bytes(with_description(lambda description: None)(content))
    with pytest.raises(StudentError, match=r"a tree (leads to|splits by)|dtype .*none of"):
        load(path)


# What answers without torch.


def other_shape(content):
    header, data = parts(content)
    name = next(name for name in header if name.endswith("mlp.0.bias"))
    header[name]["shape"] = [*header[name]["shape"], 1, 1]
    return joined(header, data)


LAST_STEP = ("student", "steps", -1, 1)
WITHOUT_TORCH = {
    "a bias that NumPy would stretch": (
        lambda c: with_description(lambda description: None)(other_shape(c)), "weights do not fit"
    ),
    "another class": (setting(*LAST_STEP, "module", "class", value="os.system"), "os.system"),
    "other answers": (setting(*LAST_STEP, "link", "temperature", value=9.0), "answers otherwise"),
    "no labels": (setting(*LAST_STEP, "link", value={}), "does not hold"),
}  # fmt: skip


@pytest.mark.parametrize("case", WITHOUT_TORCH)
def test_the_command_line_refuses_them_too(case, tmp_path, capsys):
    student = make_pipeline(TablePreprocessor(), StudentNet(max_epochs=1))
    model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, y)
    path, rows = save(model, tmp_path / "student.safetensors"), tmp_path / "rows.csv"
    rows.write_text("a,b,c,d\n1,2,3,4\n")
    assert main(["predict", str(path), str(rows)]) == 0
    change, message = WITHOUT_TORCH[case]
    path.write_bytes(change(path.read_bytes()))
    assert main(["predict", str(path), str(rows)]) == 2
    shown = capsys.readouterr().err
    assert "cannot be read as a saved student" in shown and message in shown
