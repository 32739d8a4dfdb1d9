"""Parts of the estimators: parameters, the recipe of a fit, targets, scores, the base class of transformers."""
