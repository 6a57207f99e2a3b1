"""What the arms of a comparison are called, and which of them are compared."""

TEACHER = "teacher"
PLAIN = "plain"
SCALED = "plain + temperature"
SMOOTHED = "label smoothing"
TEACHER_LABELS = "teacher's hard labels"
TEACHER_NUMBERS = "teacher's numbers alone"
DISTILLED = "distilled"
CASCADE = "cascade"

#: The order of the rows of a report on classes.
ARM_NAMES = (TEACHER, PLAIN, SCALED, SMOOTHED, TEACHER_LABELS, DISTILLED)

#: The order of the rows of a report on numbers.
NUMBER_ARM_NAMES = (TEACHER, PLAIN, TEACHER_NUMBERS, DISTILLED)

#: What the intervals of a report compare, by the two arms. Those of distilled with the teacher and
#: with what costs no teacher are printed; the others stand in its table and pictures.
COMPARISONS = {
    (DISTILLED, PLAIN): "distilled - plain",
    (DISTILLED, SCALED): "distilled - (plain + temperature)",
    (DISTILLED, TEACHER): "distilled - teacher",
    (CASCADE, TEACHER): "cascade - teacher",
    (DISTILLED, SMOOTHED): "distilled - label smoothing",
    (DISTILLED, TEACHER_LABELS): "distilled - teacher's hard labels",
    (DISTILLED, TEACHER_NUMBERS): "distilled - teacher's numbers alone",
    (SCALED, PLAIN): "(plain + temperature) - plain",
}
PRINTED = tuple(COMPARISONS.values())[:4]
