"""The words by which kept lines name what they are about."""


def kind_of(model) -> str:
    """What trail lines, events and notices call a model or a row of it: its name in lower case.

    ``KIND`` on a model is the word from before it was renamed: old lines say it, and new ones go on to.
    """
    return getattr(model, "KIND", model._meta.model_name)
