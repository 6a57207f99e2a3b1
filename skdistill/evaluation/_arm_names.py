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

#: The student where it is sure, and the teacher elsewhere, beside the teacher alone.
CASCADE_COMPARISON = "cascade - teacher"

#: What the intervals of a report compare distilled with.
COMPARISONS = {
    PLAIN: "distilled - plain",
    SCALED: "distilled - (plain + temperature)",
    TEACHER: "distilled - teacher",
}
