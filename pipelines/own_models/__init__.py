"""Own models: a shop's own Python file competes in the back-test and, if it wins, is published.

`model_files` finds what shop.toml names, `hidden_model` lets it work where it cannot see what it is not told,
`curtain` and `behind_the_curtain` are what that place is made of, `steadiness` asks whether it says the same twice.

What does not belong here: the models themselves, and what they are measured by (`models.backtest`).
"""
