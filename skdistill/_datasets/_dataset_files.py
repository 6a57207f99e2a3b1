"""The files of a dataset, and the answers for them: found, compared, opened."""

from dataclasses import replace
from pathlib import Path

from skdistill._datasets._dataset_rows import HELD_ROWS, SAMPLE_ROWS, DatasetRows
from skdistill._input._columns import ADVICE, NUMBERS, UNREADABLE
from skdistill._input._file_columns import check_columns, kind_in, read_schema
from skdistill._input._parquet import MISSING, digest_of, find_files, read_stamp


def open_dataset(dataset, target, soft_targets, columns, split, kind):
    """Find the files of a dataset and compare their columns; see `fit_dataset`.

    Parameters
    ----------
    dataset, target, soft_targets, columns
        As given to `fit_dataset`.
    split : HoldOut or None
        How many rows are held back.
    kind : type of DatasetTask
        What is learnt.

    Returns
    -------
    DatasetRows

    Raises
    ------
    TypeError, ValueError or FileNotFoundError
    """
    files = find_files(dataset, in_memory="fit(X, y)")
    target = [target] if isinstance(target, str) else _names(target, "target")
    beside = soft_targets is not None and isinstance(soft_targets, str | Path)
    given = [] if soft_targets is None or beside else _names(soft_targets, "soft_targets")
    others = [name for name in files[0].kinds if name not in {*target, *given}]
    features = others if columns is None else _names(columns, "columns")
    shared = [name for name in features if name in {*target, *given}]
    if shared or not features:
        came = f"columns names {shared[0]!r}, which is" if shared else "All columns are"
        raise ValueError(
            f"{came} a target or an answer; expected features apart from these. Name them: "
            f"columns=[...]."
        )
    check_columns(files, [*features, *target, *given], all_are_read=columns is None)
    _refuse_targets(files, target, kind)
    _refuse_texts(files, given)
    n_rows = sum(file.n_rows for file in files)
    if not n_rows:
        raise ValueError("dataset holds no rows; expected some to learn from.")
    held = 0 if split is None or n_rows < split.min_samples else split.count(n_rows)
    rows = DatasetRows(
        files=files,
        answers=None,
        features=features,
        target=target,
        given=given,
        schema=read_schema(files, [*features, *target, *given]),
        held_share=min(held, HELD_ROWS) / n_rows,
        sample_share=min(1.0, SAMPLE_ROWS / n_rows),
        seed=0 if split is None else split.random_state,
    )
    if not beside:
        return rows
    answers = with_answers(rows, soft_targets)
    _refuse_answers_of_others(answers)
    return answers


def with_answers(rows, folder):
    """Return rows with the answers for them in a folder, as `label_dataset` writes them.

    Parameters
    ----------
    rows : DatasetRows
    folder : str or Path

    Returns
    -------
    DatasetRows

    Raises
    ------
    ValueError
        For files that are missing, of other columns or lengths.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(
            f"soft_targets={str(folder)!r} is no folder; expected one that label_dataset has "
            f"written, or a list of columns: soft_targets=[...]."
        )
    found = {file.name: file for file in find_files(folder)}
    missing = [file.name for file in rows.files if file.name not in found]
    if missing:
        raise ValueError(
            f"soft_targets={str(folder)!r} has no file {missing[0]!r}; expected answers for every "
            f"file. Write them: label_dataset(teacher, dataset, {str(folder)!r})."
        )
    answers = [found[file.name] for file in rows.files]
    given = list(answers[0].kinds)
    check_columns(answers, given, all_are_read=True)
    _refuse_texts(answers, given)
    for file, answer in zip(rows.files, answers, strict=True):
        if answer.n_rows != file.n_rows:
            raise ValueError(
                f"{str(answer.path)!r} has {answer.n_rows} rows, and {str(file.path)!r} has "
                f"{file.n_rows}; expected a row for each. Call label_dataset again: it does what "
                f"has changed."
            )
    return replace(rows, answers=answers, given=given)


def _names(given, parameter):
    names = [given] if isinstance(given, str) else list(given)
    if not names or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
        raise ValueError(f"{parameter}={given!r} was given; expected names of columns, each once.")
    return names


def _refuse_targets(files, target, kind):
    for name in target:
        held = kind_in(files, name)
        if held in kind.unlearnt:
            raise ValueError(
                f"The column {name!r} holds {UNREADABLE[held]}; expected {kind.expected} as "
                f"target. {ADVICE[UNREADABLE[held]]}"
            )


def _refuse_texts(files, given):
    kinds = {name: kind_in(files, name) for name in given}
    texts = [name for name, kind in kinds.items() if kind not in (*NUMBERS, MISSING)]
    if texts:
        raise ValueError(
            f"The column {texts[0]!r} of soft_targets holds {kinds[texts[0]]}; expected "
            f"numbers, the answers of a teacher. Name other columns."
        )


def _refuse_answers_of_others(rows):
    """Refuse answers of several teachers, or for other rows, where the files say whose they are."""
    first = None
    for file, answer in zip(rows.files, rows.answers, strict=True):
        stamp = read_stamp(answer.path)
        if stamp is None:
            continue
        first = (answer, stamp) if first is None else first
        if stamp["teacher"] != first[1]["teacher"]:
            raise ValueError(
                f"{str(answer.path)!r} holds answers of another teacher than "
                f"{str(first[0].path)!r}; expected those of one. Call label_dataset again: it does "
                f"what has changed."
            )
        if stamp["file"] != digest_of(file.path):
            raise ValueError(
                f"{str(answer.path)!r} holds answers for another file than {str(file.path)!r} is "
                f"now; expected those for these very rows. Call label_dataset again: it does what "
                f"has changed."
            )
