"""What the estimators are made of: their parameters, the recipe of a fit, targets, scores, transformers' base."""
