"""Array functions of the engine: they write into ``out``, allocate nothing and know no layer.

Letters, in every module here: ``N`` samples (innermost, contiguous), ``H W C`` rows, columns and channels of the input,
``P Q F`` of the output, ``R S`` taps of the kernel down and across.  An input is ``(H, W, C, N)``, with its borders; an
output is ``(P, Q, F, N)``; a weight is ``(F, R, S, C)``.
"""
