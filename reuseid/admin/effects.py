"""What an act does to the world, and so whether it asks for the second factor again: declared with every act.

An act names its effect (`dialog_action`, `EditAdmin`); that it is strong follows from the effect alone, so an act that
gives out a secret or can't be undone can't forget to ask.
"""

from enum import Enum


class Effect(Enum):
    """One thing that acts do: ``strong``, and why in a sentence."""

    FOR_GOOD = (True, "It can't be undone, or begins what can't be.")
    GIVES_SECRET = (True, "It gives out what lets somebody in: a secret, a password, an activation code.")
    REDIRECTS = (True, "It decides where an account's data goes, or how much of it.")
    OPENS = (True, "It gives access, widens it, or lets in again who was shut out.")
    UNMASKS = (True, "It shows or hands out what is masked, or decides what is.")
    LOWERS_BAR = (True, "It decides what a phone has to prove.")
    MANY = (True, "It changes much at once: many people, or all clients of an account.")
    HOLDS = (False, "It holds something back until somebody lets it go on.")
    RELEASES = (False, "It ends such a hold; who calls is verified first.")
    ENDS_OPEN = (False, "It ends something that waits and can be started again.")
    SENDS_AGAIN = (False, "It sends where the account's data goes already.")
    ASKS = (False, "It asks for something that is decided or carried out later.")
    STARTS = (False, "It begins something for people or systems that are there for tests.")
    HANDS_OUT_MASKED = (False, "It hands out what every reader of the list sees.")
    NOTES = (False, "It writes something down beside what there is.")
    NAMES = (False, "It changes names and looks.")

    def __init__(self, strong, why):
        self.strong = strong
        self.why = why
