"""The one table of layers that every contract test runs, and what each layer computes, in loops.

Each family of layers has its file, with the rows of a layer beside its reference.
"""

from cases import borders, composites, convolutions, elements, poolings, vectors
from cases.case import Case, Rows, inside, within

CASES, REFERENCES = {}, {}
for family in (convolutions, poolings, borders, elements, vectors, composites):
    for rows in vars(family).values():
        if isinstance(rows, Rows):
            CASES |= rows.cases
            REFERENCES |= {type(case.layer): rows.reference for case in rows.cases.values()}

__all__ = ["CASES", "REFERENCES", "Case", "inside", "within"]
