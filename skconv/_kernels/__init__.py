"""Array functions that write into ``out``, allocate nothing and import no layer.

Symbols in every module: ``N`` samples (innermost, contiguous); ``H W C`` rows, columns and channels of the input;
``P Q F`` rows, columns and channels (filters) of the output; ``R S`` taps of the kernel down and across.  An input with
its borders is ``(H, W, C, N)``, an output ``(P, Q, F, N)``, a weight ``(F, R, S, C)``.
"""
