"""A soft decision tree: its forward pass and penalty written by hand, and fits by every door."""

import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from skorch import NeuralNetClassifier

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.losses import DIST, DKD, KD
from skdistill.students import MLP, SoftDecisionTree, TablePreprocessor
from skdistill.training import DistillationCriterion, RegressionCriterion

pd = pytest.importorskip("pandas")

X, NUMBERS = make_friedman1(160, n_features=5, random_state=0)
Y = np.digitize(NUMBERS, np.quantile(NUMBERS, [0.3, 0.7]))
P = (np.eye(3)[Y] + np.random.default_rng(0).dirichlet(np.ones(3), size=160)) / 2
TABLE = pd.DataFrame(
    {
        "size": np.where(np.arange(160) % 9, X[:, 0], np.nan),
        "town": [f"t{i % 20}" for i in range(160)],
        "kind": np.resize(["a", "b", None], 160),
    }
)


def make(n_classes=3, **settings):
    settings = {"depth": 3, "beta": 1.5, "cardinalities": (4,), **settings}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = SoftDecisionTree(6, n_classes, **settings).double()
        for parameter in module.parameters():  # far from the first weights, which are small
            parameter.data *= 4
    return module


def some_rows():
    rows = np.random.default_rng(1).normal(size=(40, 6))
    rows[:, 5] = np.arange(40) % 4
    return rows


ROWS = some_rows()


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def probability_of_right(module, row, node):
    """Return p_i of a row, by numpy alone."""
    weights = {name: value.numpy() for name, value in module.state_dict().items()}
    z = weights["weight"][node] @ row[:5] + weights["bias"][node]
    if row[5] > 0:
        z += weights["categories.0.weight"][int(row[5]), node]
    return sigmoid(module.beta * z)


def answer_below(module, row, node=0):
    """Return the mixture of the leaves below a node, by recursion."""
    n_nodes = 2**module.depth - 1
    if node >= n_nodes:
        leaf = module.beta * module.leaves.detach().numpy()[node - n_nodes]
        if module.mean == "outputs":
            return leaf
        return np.exp(leaf - leaf.max()) / np.exp(leaf - leaf.max()).sum()
    p = probability_of_right(module, row, node)
    left, right = (answer_below(module, row, 2 * node + side) for side in (1, 2))
    return (1 - p) * left + p * right


def penalty_by_hand(module, rows):
    """Return the penalty, a node and a row at a time."""
    total = 0.0
    for node in range(2**module.depth - 1):
        right = reached = 0.0
        for row in rows:
            way, here = 1.0, node
            while here:
                above = (here - 1) // 2
                p = probability_of_right(module, row, above)
                way *= p if here == 2 * above + 2 else 1 - p
                here = above
            reached += way
            right += way * probability_of_right(module, row, node)
        level = (node + 1).bit_length() - 1
        alpha = right / reached
        total -= module.penalty * 0.5**level * (0.5 * np.log(alpha) + 0.5 * np.log(1 - alpha))
    return total


# What it computes


@pytest.mark.parametrize("depth", [1, 3])
def test_the_answer_is_the_mixture_of_the_leaves(depth):
    module = make(depth=depth).eval()
    expected = [answer_below(module, row) for row in ROWS]
    found = module(torch.tensor(ROWS)).exp().detach()
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_numbers_are_the_mean_of_the_leaves():
    module = make(n_classes=2, leaf_mean="outputs").eval()
    expected = [answer_below(module, row) for row in ROWS]
    np.testing.assert_allclose(module(torch.tensor(ROWS)).detach(), expected, rtol=1e-10)


@pytest.mark.parametrize("depth", [1, 3])
def test_the_penalty_is_its_formula(depth):
    module = make(depth=depth, penalty=0.3).train()
    outputs, penalty = module(torch.tensor(ROWS))
    np.testing.assert_allclose(penalty.item(), penalty_by_hand(module, ROWS), rtol=1e-10)
    torch.testing.assert_close(outputs, module.eval()(torch.tensor(ROWS)), rtol=0, atol=0)


def test_the_penalty_is_least_where_every_node_sends_half_to_each_side():
    module = make(penalty=0.3)
    with torch.no_grad():
        for name in ("weight", "bias", "categories.0.weight"):
            module.get_parameter(name).zero_()
    _, penalty = module.train()(torch.tensor(ROWS))
    np.testing.assert_allclose(penalty.item(), 0.3 * 3 * np.log(2))  # three levels weigh alike


def test_gradients_of_answer_and_penalty():
    module = make(depth=2, cardinalities=()).train()  # that of code 0 is kept at 0
    rows = torch.tensor(ROWS[:6])
    names, parameters = zip(*module.named_parameters(), strict=True)

    def run(*values):
        return tuple(
            torch.func.functional_call(module, dict(zip(names, values, strict=True)), rows)
        )

    assert torch.autograd.gradcheck(run, parameters)


def test_rows_far_off_leave_answer_penalty_and_gradients_finite():
    module = make().float().train()
    rows = torch.tensor(ROWS, dtype=torch.float32)
    rows[:, :5] *= 1e4
    outputs, penalty = module(rows)
    (outputs.sum() + penalty).backward()
    assert torch.isfinite(outputs).all() and torch.isfinite(penalty)
    assert all(torch.isfinite(parameter.grad).all() for parameter in module.parameters())


def test_an_unknown_code_moves_no_row():
    module = make().eval()
    rows = ROWS[ROWS[:, 5] == 0]
    rest = make(cardinalities=()).eval()
    kept = {name: value for name, value in module.state_dict().items() if "categories" not in name}
    weight = torch.cat([kept["weight"], torch.zeros(7, 1)], dim=1)
    rest.load_state_dict({**kept, "weight": weight})
    found = module(torch.tensor(rows))
    torch.testing.assert_close(found, rest(torch.tensor(rows)), rtol=1e-10, atol=0)


# What it learns from


@pytest.mark.parametrize("loss", [KD(), DKD(), DIST()], ids=["kd", "dkd", "dist"])
def test_the_loss_is_that_of_the_answers_and_the_penalty(loss):
    module = make().train()
    rows = torch.tensor(ROWS)
    packed = {
        "label": torch.arange(40) % 3,
        "teacher_logits": torch.tensor(np.random.default_rng(2).normal(size=(40, 3))),
    }
    criterion = DistillationCriterion(loss, 0.4, temperature=2.0)
    outputs, penalty = module(rows)
    expected = criterion(outputs, packed) + penalty
    torch.testing.assert_close(criterion(module(rows), packed), expected, rtol=1e-12, atol=0)
    criterion.eval()  # held-back rows are scored without it
    plain = torch.nn.functional.cross_entropy(outputs, packed["label"])
    torch.testing.assert_close(criterion(module.eval()(rows), packed), plain)


def test_the_loss_of_numbers_has_the_penalty_too():
    module = make(n_classes=1, leaf_mean="outputs").train()
    outputs, penalty = module(torch.tensor(ROWS))
    target = torch.tensor(ROWS[:, :1])
    found = RegressionCriterion()(module(torch.tensor(ROWS)), {"target": target})
    torch.testing.assert_close(found, ((outputs - target) ** 2).mean() + penalty)


@pytest.mark.slow
def test_a_greater_penalty_makes_the_use_of_the_sides_even():
    shares = []
    for penalty in (0.0, 100.0):
        student = SoftDecisionTree(depth=1, penalty=penalty)
        model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, Y == 0)
        rows = torch.tensor(model.student_[0].transform(X), dtype=torch.float32)
        shares.append(model.student_[-1].module_.paths(rows)[1].exp().mean(0)[1].item())
    assert abs(shares[1] - 0.5) < 0.02 < abs(shares[0] - 0.5)


# In estimators


def test_an_instance_without_widths_reads_tables_with_strings_and_gaps():
    tree = SoftDecisionTree(depth=2)
    model = DistilledClassifier(student=tree, random_state=0).fit(TABLE, Y, soft_targets=P)
    module = model.student_[-1].module_
    # size, its gaps, three kinds; towns as codes
    assert module.weight.shape == (3, 5) and [len(t) for t in module.categories.parameters()] == [
        21
    ]
    assert tree.n_features is None and not list(tree.parameters())
    p = model.predict_proba(TABLE)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(TABLE), p)
    np.testing.assert_array_equal(
        clone(model).fit(TABLE, Y, soft_targets=P).predict_proba(TABLE), p
    )


@pytest.mark.parametrize(
    "student",
    [
        SoftDecisionTree,
        StudentNet(SoftDecisionTree, module__depth=4),
        StudentNet(SoftDecisionTree()),
        make_pipeline(TablePreprocessor(), SoftDecisionTree()),
        SoftDecisionTree(5, 3),
    ],
    ids=["class", "net of the class", "net of an instance", "in a Pipeline", "with widths"],
)
@pytest.mark.slow_except("class", "in a Pipeline")
def test_every_spelling_is_one_tree(student):
    model = DistilledClassifier(student=student, random_state=0)
    model.fit(X[:60], Y[:60], soft_targets=P[:60])
    net = model.student_[-1] if isinstance(model.student_, Pipeline) else model.student_
    assert net.module_.leaves.shape == (16, 3)
    assert model.predict_proba(X).shape == (160, 3)


def test_settings_of_a_net_count_more_than_those_of_its_instance():
    net = StudentNet(SoftDecisionTree(depth=3, beta=2.0), module__depth=1, max_epochs=1)
    module = DistilledClassifier(student=net, random_state=0).fit(X, Y, soft_targets=P)
    module = module.student_.module_
    assert (module.depth, module.beta) == (1, 2.0)


@pytest.mark.slow
def test_a_regressor_learns_numbers():
    model = DistilledRegressor(student=SoftDecisionTree(depth=3), random_state=0)
    model.fit(X, NUMBERS, soft_targets=NUMBERS)
    assert model.score(X, NUMBERS) > 0.8
    both = np.column_stack([NUMBERS, -NUMBERS])
    model.fit(X, both, soft_targets=both)
    np.testing.assert_allclose(model.predict(X).shape, (160, 2))
    assert model.score(X, both) > 0.8


def test_sparse_rows_are_read_as_they_are():
    rows = sparse.csr_matrix(np.where(X > 0.5, X, 0.0))
    net = StudentNet(SoftDecisionTree, max_epochs=2)
    found, expected = (
        DistilledClassifier(student=net, alpha=0, random_state=0).fit(part, Y).predict_proba(part)
        for part in (rows, rows.toarray())
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_other_skorch_nets_take_it():
    for module in (SoftDecisionTree, SoftDecisionTree(depth=3)):
        net = NeuralNetClassifier(module, module__depth=2, max_epochs=2, verbose=0)
        model = DistilledClassifier(student=net, random_state=0)
        model.fit(X.astype("float32"), Y, soft_targets=P)
        assert np.isfinite([row["train_loss"] for row in model.student_.net_.history]).all()
        assert model.student_.module_.depth == 2


def test_it_can_be_searched_and_can_teach():
    tree = make_pipeline(TablePreprocessor(), StudentNet(SoftDecisionTree, max_epochs=2))
    model = DistilledClassifier(student=tree, alpha=0, random_state=0)
    search = GridSearchCV(model, {"student__studentnet__module__depth": [1, 2]}, cv=2).fit(X, Y)
    teacher = search.best_estimator_.student_
    student = StudentNet(MLP, module__hidden_units=(4,), max_epochs=1)
    distilled = DistilledClassifier(teacher, student, random_state=0).fit(X, Y)
    assert distilled.predict_proba(X).shape == (160, 3)


def test_it_can_be_exported():
    module = make().eval()
    dynamic = ({0: torch.export.Dim("n_samples", min=2)},)
    exported = torch.export.export(module, (torch.tensor(ROWS[:7]),), dynamic_shapes=dynamic)
    rows = torch.tensor(ROWS)
    torch.testing.assert_close(exported.module()(rows), module(rows))
